import re
from datetime import timedelta
from pathlib import Path

import httpx
from prometheus_client.parser import text_string_to_metric_families

from api_tests.support.fake_agent import FakeAgent
from api_tests.support.query_plans import plans_of
from api_tests.support.sent_statements import heard_statements
from api_tests.support.server import wait_for
from api_tests.support.server_context import Clock, server_context
from service.control.scheduling.state_counts import MOST_RECIPES, CountedStates
from service.store.engine import Database
from service.store.state_counts import StateCounts, count_states

LINE = re.compile(r'^trainyard_loop_(turns|errors)_total\{loop="([a-z-]+)"\} ([0-9.]+)$')


def test_every_loop_of_the_server_counts_its_turns_and_errors(http: httpx.Client) -> None:
    wait_for(
        lambda: all(counts(http)["turns", loop] > 0 for loop in ("reaper", "gc", "pruner")),
        "a turn of each loop",
    )
    found = counts(http)
    loops = {"reaper", "gc", "pruner", "compactor", "server-heartbeat"}
    loops |= {
        "sample-writer",
        "sample-mover",
        "space",
        "webhooks",
        "searches",
        "sweeps",
        "preemption",
        "credentials",
    }
    assert set(found) == {(kind, loop) for kind in ("turns", "errors") for loop in loops}
    assert {value for (kind, _), value in found.items() if kind == "errors"} == {0.0}


def test_the_counts_go_on(http: httpx.Client) -> None:
    before = counts(http)["turns", "reaper"]
    wait_for(lambda: counts(http)["turns", "reaper"] > before, "another turn of the reaper")


def test_metrics_are_in_prometheus_text_form(http: httpx.Client) -> None:
    answer = http.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=")
    assert "# TYPE trainyard_loop_turns_total counter" in answer.text
    assert "# TYPE trainyard_loop_errors_total counter" in answer.text


def counts(http: httpx.Client) -> dict[tuple[str, str], float]:
    """By kind and loop how many there were."""
    lines = [LINE.match(line) for line in http.get("/metrics").text.splitlines()]
    return {(line[1], line[2]): float(line[3]) for line in lines if line}


def samples(http: httpx.Client) -> dict[tuple[str, tuple[str, ...]], float]:
    """By name and values of the labels what a scrape has."""
    families = text_string_to_metric_families(http.get("/metrics").text)
    return {
        (sample.name, tuple(sample.labels[name] for name in sorted(sample.labels))): sample.value
        for family in families
        for sample in family.samples
    }


def test_an_attempt_is_counted_from_its_claim_to_its_end(agent: FakeAgent) -> None:
    before = samples(agent.http)

    def gained(name: str, *labels: str) -> float:
        return samples(agent.http).get((name, labels), 0.0) - before.get((name, labels), 0.0)

    agent.submit()
    claim = agent.claim()
    agent.save(claim, 10)
    spent = {"data_wait_seconds": 1.0, "step_seconds": 8.0, "save_seconds": 0.5}
    progress = {"phase": "train", "step": 20, "total_steps": 100, "time_spent": spent}
    agent.beat(claim, ("progress", progress))
    spent["step_seconds"] = 10.0
    agent.beat(claim, ("progress", progress))
    assert agent.report(claim).status_code == 200
    assert gained("trainyard_claims_total", "train") == 1
    assert gained("trainyard_queue_wait_seconds_count", "train") == 1
    assert gained("trainyard_checkpoints_published_total") == 1
    assert gained("trainyard_checkpoints_published_bytes_total") == len(b"weights")
    assert gained("trainyard_attempt_time_seconds_total", "step") == 10.0
    assert gained("trainyard_attempt_time_seconds_total", "save") == 0.5
    assert gained("trainyard_attempts_ended_total", "finished", "succeeded") == 1
    assert gained("trainyard_heartbeats_total") == 4
    assert gained("trainyard_heartbeat_interval_seconds_count") >= 3


def test_requests_are_timed_by_the_template_of_their_route(http: httpx.Client) -> None:
    for path in ("/jobs/job_of_nobody", "/no/such/path", "/healthz"):
        http.get(path)
    http.request("PROPFIND", "/healthz")
    http.head("/version")
    found = {labels for name, labels in samples(http) if name.endswith("request_seconds_count")}
    expected = {
        ("GET", "/jobs/{job_id}", "404"),
        ("GET", "unrouted", "404"),
        ("GET", "/healthz", "200"),
        ("other", "/healthz", "405"),
        ("HEAD", "/version", "200"),
    }
    assert expected <= found
    assert not [labels for labels in found if "nobody" in labels[1]]


def test_the_disks_and_the_database_are_measured(http: httpx.Client) -> None:
    wait_for(lambda: ("trainyard_space_free_bytes", ("volume",)) in samples(http), "the space")
    found = samples(http)
    for place in ("volume", "database"):
        free = found["trainyard_space_free_bytes", (place,)]
        assert 0 < free <= found["trainyard_space_total_bytes", (place,)]
    assert found["trainyard_database_bytes", ()] > 0


def test_jobs_and_workers_are_counted_by_state(sqlite: Database, tmp_path: Path) -> None:
    clock = Clock()
    context = server_context(sqlite, tmp_path, clock)
    with heard_statements(lambda _: sent.append(1)):
        sent: list[int] = []
        first = context.state_counter.counted(clock.now)
        counted = len(sent)
        clock.advance(timedelta(seconds=9))
        assert context.state_counter.counted(clock.now).counts is first.counts
        assert len(sent) == counted
        clock.advance(timedelta(seconds=2))
        context.state_counter.counted(clock.now)
    assert len(sent) == 2 * counted


def test_jobs_are_counted_by_a_covering_index_alone(sqlite: Database) -> None:
    with sqlite.read() as tx:
        plans = plans_of(tx, lambda: count_states(tx))
    scans = [step for plan in plans for step in plan if "SCAN jobs" in step]
    assert scans == ["SCAN jobs USING COVERING INDEX ix_jobs_recipe_id_state"], plans


def test_the_recipes_beyond_the_first_fifty_are_counted_as_one() -> None:
    jobs = {(f"recipe_{number}", "queued"): 100 - number for number in range(60)}
    counted = CountedStates(StateCounts(jobs=jobs), Clock().now).jobs
    assert len(counted) == MOST_RECIPES + 1
    assert sum(counted.values()) == sum(jobs.values())
    assert counted["other", "queued"] == sum(100 - number for number in range(50, 60))
