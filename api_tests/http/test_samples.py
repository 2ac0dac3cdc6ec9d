"""Samples of workers' use: from heartbeats to series, over HTTP and both databases."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import func, select

from api_tests.support.problems import pointers_of, problem_of
from api_tests.support.sampled_workers import (
    SAMPLE,
    add_hours,
    beat,
    two_workers,
    write_samples,
)
from api_tests.support.sent_statements import sent_statements
from api_tests.support.server_context import Clock, server_context
from api_tests.support.specs import SPEC
from service.context import AppContext
from service.control.leases.samples import seconds_of
from service.store.engine import Database
from service.store.sample_tables import samples


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def context(database: Database, tmp_path: Path, clock: Clock) -> AppContext:
    return server_context(database, tmp_path, clock)


@pytest.fixture
def http(context: AppContext) -> Iterator[httpx.Client]:
    yield from two_workers(context)


def test_a_sample_of_a_heartbeat_is_shown_with_its_worker_and_in_its_series(
    http: httpx.Client, context: AppContext, clock: Clock
) -> None:
    beat(http)
    write_samples(context)
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
    write_samples(context)
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
        with sent_statements() as sent:
            beat(http, sample=sample)
        return len(sent)

    assert statements_of(SAMPLE) == statements_of(None) > 0
    beat(http, "wrk_2")
    with sent_statements() as sent:
        write_samples(context)
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
    write_samples(context)
    clock.advance(timedelta(minutes=1))
    job_id, claim = claimed(http)
    assert http.get(f"/jobs/{job_id}/samples").json()["attempts"] == []
    given = [SAMPLE["gpus"][0], SAMPLE["gpus"][1] | {"job_id": job_id, "attempt": 1}]
    for _ in range(2):
        beat(http, sample=SAMPLE | {"gpus": given})
        write_samples(context)
        clock.advance(timedelta(seconds=10))
    report = claim | {"outcome": "succeeded", "reason": "finished"}
    http.post("/agent/reports", json=report).raise_for_status()
    clock.advance(timedelta(minutes=1))
    beat(http)
    write_samples(context)
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
    job_id = http.post("/jobs", json=SPEC | {"resources": {"gpus": 1}}).json()["id"]
    request = {"worker_id": "wrk_1", "request_id": "r", "free_slots": 1, "free_gpus": 2}
    claim = http.post("/agent/claims", json=request | {"wait_seconds": 0}).json()
    return job_id, {name: claim[name] for name in ("job_id", "attempt", "token")}
