"""What many workers ask of a server, computed from what was measured."""

import pytest

from benchmarks import simulate
from benchmarks.record import UnreadableRecords, read
from benchmarks.simulate import UnitCosts, Yard, cores, limits, table

COSTS = UnitCosts(0.001, 0.02, 0.002, 0.0001, 0.01, 0.005)


def test_work_grows_with_what_makes_it() -> None:
    one = cores(Yard(1_000), COSTS)
    assert one["heartbeats"] == pytest.approx(1_000 / 10 * 0.001)
    assert one["the look for leases"] == pytest.approx(1_000 * 0.0001 / 2)
    assert one["claims"] == pytest.approx(1_000 / 3_600 * 0.02)
    ten = cores(Yard(10_000), COSTS)
    grown = {kind for kind in one if ten[kind] == pytest.approx(10 * one[kind])}
    assert one.keys() - grown == {"lists on pages", "jobs that are watched"}
    assert limits(Yard(10_000, beat_seconds=5))["requests a minute of the workers"] == 120_000


def test_the_table_is_that_of_the_page() -> None:
    page = simulate.RECORDS.with_name("scale.md").read_text()
    assert table(UnitCosts.of(read(simulate.RECORDS))) in page


def test_what_was_not_measured_names_the_benchmark_to_run() -> None:
    with pytest.raises(UnreadableRecords, match="run python -m benchmarks queue"):
        UnitCosts.of({})
