"""Samples of workers' use: from heartbeats to series, over HTTP and both databases."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import Engine, event, func, select

from api_tests.support.problems import pointers_of, problem_of
from api_tests.support.server import wait_for
from api_tests.support.server_context import Clock, server_context
from api_tests.support.threaded_server import ThreadedServer
from service.background.sample_loops import sample_mover_loop, sample_writer_loop
from service.context import AppContext
from service.contract.loop import Loop
from service.contract.samples import Sample
from service.control.leases.samples import seconds_of
from service.store import samples as store
from service.store.engine import Database
from service.store.sample_tables import sample_hours, samples
from service.store.samples import StoredSample

KERNEL = {"boot_id": "boot", "pid_namespace": "pid:[1]", "pid": 7, "started_ticks": 99}
GPU = {"index": 0, "name": "H100", "memory_bytes": 80}
SAMPLE: dict[str, Any] = {
    "cpu_use": 0.25,
    "memory_used_bytes": 50,
    "memory_total_bytes": 100,
    "disk_used_bytes": 7,
    "disk_total_bytes": 10,
    "gpus": [
        {"index": 0, "use": 0.75, "memory_used_bytes": 20, "memory_total_bytes": 80},
        {"index": 1, "use": 0.5, "temperature_celsius": 61.0, "power_watts": 500},
    ],
}


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def context(database: Database, tmp_path: Path, clock: Clock) -> AppContext:
    return server_context(database, tmp_path, clock)


@pytest.fixture
def http(context: AppContext) -> Iterator[httpx.Client]:
    server = ThreadedServer(context)
    for worker_id in ("wrk_1", "wrk_2"):
        body = {"host": worker_id, "process": KERNEL, "slots": 2, "gpus": [GPU, GPU | {"index": 1}]}
        server.http.put(f"/agent/workers/{worker_id}", json=body).raise_for_status()
    yield server.http
    server.stop()


def beat(http: httpx.Client, worker_id: str = "wrk_1", sample: Any = SAMPLE) -> None:
    body = {"worker_id": worker_id, "beats": [], "sample": sample}
    http.post("/agent/heartbeats", json=body).raise_for_status()


@contextmanager
def running(loop: Loop) -> Iterator[None]:
    loop.start()
    yield
    loop.stop()
    assert loop.join(20)
    assert loop.errors == 0


def write(context: AppContext) -> None:
    """One turn of the writer."""
    loop = sample_writer_loop(context)
    with running(loop):
        wait_for(lambda: loop.turns > 0, "the writer's turn")


def test_a_sample_of_a_heartbeat_is_shown_with_its_worker_and_in_its_series(
    http: httpx.Client, context: AppContext, clock: Clock
) -> None:
    beat(http)
    write(context)
    shown = {each["id"]: each for each in http.get("/workers").json()["data"]}
    assert shown["wrk_1"]["sample"]["gpus"][1]["temperature_celsius"] == 61.0
    assert shown["wrk_1"]["sampled_at"] == "2026-01-01T00:00:00Z"
    assert shown["wrk_2"]["sample"] is None
    without = http.get("/workers", params={"samples": "false"}).json()["data"]
    assert [each["sample"] for each in without] == [None, None]
    at = seconds_of(clock.now)
    series = http.get("/workers/wrk_1/samples").json()["series"]
    assert series == {
        "cpu_use": [[at, 0.25]],
        "memory_use": [[at, 0.5]],
        "disk_use": [[at, 0.7]],
        "gpu0.use": [[at, 0.75]],
        "gpu0.memory_use": [[at, 0.25]],
        "gpu1.use": [[at, 0.5]],
        "gpu1.temperature_celsius": [[at, 61.0]],
        "gpu1.power_watts": [[at, 500.0]],
    }
    assert http.get("/workers/wrk_2/samples").json()["series"] == {}


def test_a_worker_is_shown_with_what_it_can_run(http: httpx.Client, context: AppContext) -> None:
    beat(http)
    write(context)
    worker = http.get("/workers/wrk_1").json()
    assert worker["sample"]["cpu_use"] == 0.25
    assert "oneshot" in worker["recipes"]
    assert "train" in worker["kinds"]
    problem_of(http.get("/workers/wrk_9"), 404, "no_such_worker")
    problem_of(http.get("/workers/wrk_9/samples"), 404, "no_such_worker")


def test_a_sample_costs_its_heartbeat_no_statement_and_many_are_stored_by_one(
    http: httpx.Client, context: AppContext
) -> None:
    def statements_of(sample: Any) -> int:
        with statements() as sent:
            beat(http, sample=sample)
        return len(sent)

    assert statements_of(SAMPLE) == statements_of(None) > 0
    beat(http, "wrk_2")
    with statements() as sent:
        write(context)
    assert [each.split()[0] for each in sent if not each.startswith("BEGIN")] == ["INSERT"]
    with context.database.read() as tx:
        assert tx.execute(select(func.count()).select_from(samples)).scalar_one() == 2


@pytest.mark.parametrize(
    "sample", [{"cpu_use": "busy"}, {"gpus": [{"use": 1}]}, {"gpus": 7}, "?", {"later": {"a": 1}}]
)
def test_a_sample_that_cannot_be_read_costs_no_heartbeat(http: httpx.Client, sample: Any) -> None:
    beat(http, sample=sample)


def test_samples_that_the_database_does_not_take_are_stored_later(
    context: AppContext, http: httpx.Client
) -> None:
    beat(http)
    taken = context.samples.take()
    beat(http, sample=SAMPLE | {"cpu_use": 0.5})
    context.samples.put_back(taken)
    (waiting,) = context.samples.take()
    assert waiting.sample.cpu_use == 0.5


def test_an_hour_that_is_over_becomes_one_row_and_is_read_the_same(
    http: httpx.Client, context: AppContext, clock: Clock
) -> None:
    add_hours(context, clock, 2)
    clock.advance(timedelta(hours=2, seconds=30))
    # Of a day: of a longer time the hours that are over are read coarsely.
    day = {"max_points": 2000, "since": "2026-01-01T00:00:00Z"}
    before = http.get("/workers/wrk_1/samples", params=day).json()
    assert len(before["series"]["cpu_use"]) == 720
    loop = sample_mover_loop(context)
    with running(loop):
        wait_for(lambda: moved(context) == (1, 360), "the move of the first hour")
        # The second one ended less than a minute ago.
        wait_for(lambda: loop.turns >= 2, "a further turn")
    assert moved(context) == (1, 360)
    assert http.get("/workers/wrk_1/samples", params=day).json() == before


def test_rows_that_come_after_their_hour_was_moved_are_added_to_it(
    context: AppContext, clock: Clock
) -> None:
    start = seconds_of(clock.now)
    for at in (start, start + 10):
        with context.database.write() as tx:
            store.add(tx, [StoredSample("wrk_1", at, Sample(cpu_use=0.5))])
        with context.database.write() as tx:
            assert store.move_hour(tx, "wrk_1", start) == 1
    with context.database.write() as tx:
        assert store.move_hour(tx, "wrk_1", start) == 0
    with context.database.read() as tx:
        (table,) = store.tables_of(tx, [store.Span("wrk_1", start, start + 60)]).values()
    assert table.times == [start, start + 10]


def test_a_spike_of_one_sample_stays_in_the_chart_of_a_week(
    http: httpx.Client, context: AppContext, clock: Clock
) -> None:
    add_hours(context, clock, 3, spike_at=1800)
    clock.advance(timedelta(days=2))
    with running(sample_mover_loop(context)):
        wait_for(lambda: moved(context) == (3, 0), "the move of all hours")
    points = http.get("/workers/wrk_1/samples", params={"max_points": 10}).json()["series"]
    assert len(points["cpu_use"]) <= 10
    assert max(value for _, value in points["cpu_use"]) == 1.0


def test_series_begin_at_a_moment_which_needs_a_zone(
    http: httpx.Client, context: AppContext, clock: Clock
) -> None:
    add_hours(context, clock, 1)
    clock.advance(timedelta(hours=1))
    path = "/workers/wrk_1/samples"
    since = http.get(path, params={"since": "2026-01-01T01:50:00+01:00"}).json()["series"]
    assert len(since["cpu_use"]) == 60
    assert http.get(path, params={"since": "0001-01-01T00:00:00Z"}).json()["series"]
    for bad in ("yesterday", "2026-01-01T00:00:00", "1767225600"):
        answer = http.get(path, params={"since": bad})
        assert pointers_of(problem_of(answer, 422, "invalid")) == ["/query/since"]
        assert "2026-11-27T08:30:00Z" in answer.text


def test_a_jobs_samples_are_those_of_its_attempts_gpus_while_they_ran(
    http: httpx.Client, context: AppContext, clock: Clock
) -> None:
    beat(http)
    write(context)
    clock.advance(timedelta(minutes=1))
    job_id, claim = claimed(http)
    assert http.get(f"/jobs/{job_id}/samples").json()["attempts"] == []
    given = [SAMPLE["gpus"][0], SAMPLE["gpus"][1] | {"job_id": job_id, "attempt": 1}]
    for _ in range(2):
        beat(http, sample=SAMPLE | {"gpus": given})
        write(context)
        clock.advance(timedelta(seconds=10))
    report = claim | {"outcome": "succeeded", "reason": "finished"}
    http.post("/agent/reports", json=report).raise_for_status()
    clock.advance(timedelta(minutes=1))
    beat(http)
    write(context)
    (attempt,) = http.get(f"/jobs/{job_id}/samples").json()["attempts"]
    assert (attempt["attempt"], attempt["worker_id"], attempt["gpus"]) == (1, "wrk_1", [1])
    assert {name: len(points) for name, points in attempt["series"].items()} == {
        "cpu_use": 2,
        "memory_use": 2,
        "disk_use": 2,
        "gpu1.use": 2,
        "gpu1.temperature_celsius": 2,
        "gpu1.power_watts": 2,
    }
    (shown,) = http.get(f"/jobs/{job_id}/attempts").json()["data"]
    assert shown["gpus"] == [1]
    problem_of(http.get("/jobs/job_9/samples"), 404, "no_such_job")


def test_workers_that_have_ended_are_listed_apart(http: httpx.Client) -> None:
    http.post("/agent/workers/wrk_2/gone", json={"message": "shut down"}).raise_for_status()
    assert [each["id"] for each in http.get("/workers").json()["data"]] == ["wrk_1"]
    (ended,) = http.get("/workers", params={"ended": "true"}).json()["data"]
    assert (ended["id"], ended["state"], ended["message"]) == ("wrk_2", "gone", "shut down")


def claimed(http: httpx.Client) -> tuple[str, dict[str, Any]]:
    spec = {
        "kind": "train",
        "recipe": "oneshot",
        "data": {"dataset": "digits"},
        "params": {"batch_size": 32},
        "resources": {"gpus": 1},
    }
    job_id = http.post("/jobs", json=spec).json()["id"]
    request = {"worker_id": "wrk_1", "request_id": "r", "free_slots": 1, "free_gpus": 2}
    claim = http.post("/agent/claims", json=request | {"wait_seconds": 0}).json()
    return job_id, {name: claim[name] for name in ("job_id", "attempt", "token")}


def add_hours(context: AppContext, clock: Clock, hours: int, spike_at: int = -1) -> None:
    """Samples every ten seconds of some hours from now on, one of them with all of the CPU."""
    start = seconds_of(clock.now)
    taken = [
        StoredSample("wrk_1", start + after, Sample(cpu_use=1.0 if after == spike_at else 0.25))
        for after in range(0, hours * 3600, 10)
    ]
    with context.database.write() as tx:
        store.add(tx, taken)


def moved(context: AppContext) -> tuple[int, int]:
    """How many hours there are in rows of their own, and how many rows of single samples."""
    with context.database.read() as tx:
        counts = [
            tx.execute(select(func.count()).select_from(table)).scalar_one()
            for table in (sample_hours, samples)
        ]
    return counts[0], counts[1]


@contextmanager
def statements() -> Iterator[list[str]]:
    """What all databases of this process are sent meanwhile."""
    sent: list[str] = []

    def note(_: object, __: object, statement: str, *___: object) -> None:
        sent.append(statement)

    event.listen(Engine, "before_cursor_execute", note)
    yield sent
    event.remove(Engine, "before_cursor_execute", note)
