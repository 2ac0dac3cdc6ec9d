"""What many workers and a million jobs ask of a control plane, computed from what was measured."""

from dataclasses import replace

import pytest

from benchmarks import simulate
from benchmarks.record import UnreadableRecords, read
from benchmarks.simulate import Yard, connections, demands, first_full, loads, page, servers, table
from benchmarks.unit_costs import Cost, UnitCosts

COSTS = UnitCosts(
    heartbeat=Cost(0.001, 0.0005, 1, 1_000),
    job=Cost(0.02, 0.01, 8, 20_000),
    look_of_worker=Cost(0.0001),
    watched_job=Cost(0.005),
    page=Cost(0.01, 0.002),
    page_of_worker=Cost(0.0001),
    page_of_job=Cost(1e-6, 1e-7),
    claims_per_second=50,
    commits_per_second=3_000,
    job_row_count=100,
    job_bytes=20_000,
    series_bytes=5_000,
)


def test_work_grows_with_what_makes_it() -> None:
    one, ten = loads(Yard(1_000), COSTS), loads(Yard(10_000), COSTS)
    assert one["heartbeats"].server == pytest.approx(1_000 / 10 * 0.001)
    assert one["heartbeats"].commits == pytest.approx(100)
    assert one["jobs"].wal_bytes == pytest.approx(1_000 / 3_600 * 20_000)
    assert one["the look for leases"].server == pytest.approx(1_000 * 0.0001 / 2)
    grown = {kind for kind in one if ten[kind].server == pytest.approx(10 * one[kind].server)}
    assert one.keys() - grown == {"jobs that are watched"}


def test_a_page_of_waiting_jobs_costs_for_every_worker_and_every_job_that_waits() -> None:
    assert page(Yard(0, jobs=0), COSTS) == COSTS.page
    assert page(Yard(10_000), COSTS).server == pytest.approx(0.01 + 1.0 + 0.5)
    assert page(Yard(10_000), COSTS).postgres == pytest.approx(0.002 + 0.05)


def test_a_million_jobs_take_the_workers_so_long() -> None:
    assert Yard(10_000).seconds_for_all == 100 * 3_600
    assert Yard(10_000, jobs=10_000).seconds_for_all == 3_600


def test_more_than_a_core_of_work_wants_more_servers_and_their_connections() -> None:
    assert [servers(Cost(cores)) for cores in (0.1, 1.0, 1.1)] == [1, 1, 2]
    assert connections(Cost(1.1)) == 2 * 33


def test_what_is_full_first_stands_first() -> None:
    found = demands(Yard(10_000), COSTS)
    assert [each.share for each in found] == sorted((each.share for each in found), reverse=True)
    assert found[0].what == "pages of waiting jobs: cores of one server"
    assert found[0].needed == pytest.approx(20 * 1.51)
    by_what = {each.what: each for each in found}
    assert by_what["requests of a token"].share == 5
    assert by_what["claims, one at a time"].share == pytest.approx(10_000 / 3_600 / 50)
    # A database whose commits are slow is what is full first.
    slow = demands(Yard(10_000), replace(COSTS, commits_per_second=1.0))
    assert slow[0].what == "PostgreSQL's durable commits"


def test_the_tables_are_those_of_the_page() -> None:
    written = simulate.RECORDS.with_name("scale.md").read_text()
    costs = UnitCosts.of(read(simulate.RECORDS))
    assert table(costs) in written
    assert first_full(costs) in written


def test_what_was_not_measured_names_the_benchmark_to_run() -> None:
    records = read(simulate.RECORDS)
    for name in ("control_costs", "job_rows", "polls", "queue", "submissions"):
        rest = {other: record for other, record in records.items() if other != name}
        with pytest.raises(UnreadableRecords, match=f"run python -m benchmarks {name}"):
            UnitCosts.of(rest)
