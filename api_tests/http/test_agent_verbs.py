import threading
import time
from typing import Any

import httpx
import pytest

from api_tests.support.fake_agent import KERNEL, FakeAgent
from api_tests.support.problems import pointers_of, problem_of
from api_tests.support.server import Server, wait_for
from service.contract.catalog import builtin_catalog


def test_a_worker_joins_and_is_listed_with_its_job(agent: FakeAgent) -> None:
    job = agent.submit()
    agent.claim()
    listed = {each["id"]: each for each in agent.http.get("/workers").json()["data"]}
    assert listed[agent.id]["jobs"] == [job["id"]]
    assert (listed[agent.id]["state"], listed[agent.id]["host"]) == ("active", "test")
    assert agent.put(version="2").status_code == 200


def test_a_claim_comes_at_once_when_there_is_a_job(agent: FakeAgent) -> None:
    body = builtin_catalog().model_dump(mode="json")
    assert agent.http.put(f"/agent/workers/{agent.id}/catalog", json=body).status_code == 204
    job = agent.submit()
    began = time.monotonic()
    claim = agent.ask(wait_seconds=20).json()
    assert time.monotonic() - began < 10
    assert (claim["job_id"], claim["attempt"], claim["resume"]) == (job["id"], 1, [])
    assert claim["spec"] == job["spec"]


def test_a_claim_that_waits_hears_of_a_new_job(agent: FakeAgent, http: httpx.Client) -> None:
    answers: list[httpx.Response] = []
    waiting = threading.Thread(target=lambda: answers.append(agent.ask("r", wait_seconds=20)))
    waiting.start()
    job = http.post("/jobs", json=agent.spec()).json()
    waiting.join()
    assert answers[0].status_code == 200
    assert answers[0].json()["job_id"] == job["id"]


def test_a_claim_without_a_job_is_204_when_the_wait_is_over(agent: FakeAgent) -> None:
    answer = agent.ask(wait_seconds=0.1)
    assert (answer.status_code, answer.content) == (204, b"")


def test_the_same_request_gives_the_same_claim(agent: FakeAgent) -> None:
    agent.submit()
    assert agent.ask("r").json() == agent.ask("r").json()


def test_a_whole_job_from_claim_to_success(agent: FakeAgent) -> None:
    job = agent.submit()
    claim = agent.claim()
    agent.beat(claim, ("started", {"step": 0, "total_steps": 9, "resumed_from": None}))
    checkpoint_id = agent.save(claim, 9)
    assert agent.report(claim).status_code == 200
    ended = agent.http.get(f"/jobs/{job['id']}").json()
    assert (ended["state"], ended["latest_checkpoint"]) == ("succeeded", checkpoint_id)
    assert ended["progress"]["fraction"] == 1.0


def test_a_report_may_be_sent_twice_and_a_beat_after_it_has_no_lease(agent: FakeAgent) -> None:
    agent.submit()
    claim = agent.claim()
    first, again = agent.report(claim), agent.report(claim)
    assert (first.status_code, again.status_code) == (200, 200)
    assert first.json() == again.json()
    assert agent.beat(claim)["lease_lost"]


def test_a_report_of_another_attempt_is_a_lost_lease(agent: FakeAgent) -> None:
    agent.submit()
    claim = agent.claim()
    problem_of(agent.report(claim | {"token": "forged"}), 409, "lease_lost")
    problem_of(agent.report(claim | {"attempt": 2}), 409, "lease_lost")


@pytest.mark.parametrize(
    ("outcome", "reason"),
    [("failed", "finished"), ("failed", "poison"), ("succeeded", "crashed"), ("dance", "crashed")],
)
def test_a_reason_that_does_not_fit_its_outcome_is_refused(
    agent: FakeAgent, outcome: str, reason: str
) -> None:
    agent.submit()
    claim = agent.claim()
    problem_of(agent.report(claim, outcome, reason), 422, "invalid")
    assert not agent.beat(claim)["lease_lost"]


def test_a_cancelled_end_that_nobody_asked_for_is_refused(agent: FakeAgent) -> None:
    agent.submit()
    problem_of(agent.report(agent.claim(), "cancelled", "cancelled"), 409, "not_cancelled")


def test_gone_gives_the_job_back_at_once(agent: FakeAgent) -> None:
    job = agent.submit()
    agent.claim()
    assert agent.http.post(f"/agent/workers/{agent.id}/gone", json={}).status_code == 204
    assert agent.http.get(f"/jobs/{job['id']}").json()["state"] == "queued"


def test_a_worker_that_nobody_knows_is_told_so_by_every_verb(agent: FakeAgent) -> None:
    agent.id = "wrk_none"
    problem_of(agent.ask(), 404, "unknown_worker")
    beat = agent.http.post("/agent/heartbeats", json={"worker_id": agent.id})
    problem_of(beat, 404, "unknown_worker")
    gone = agent.http.post(f"/agent/workers/{agent.id}/gone", json={})
    problem_of(gone, 404, "unknown_worker")


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"request_id": "r" * 65}, "/request_id"),
        ({"free_gpus": 2**40}, "/free_gpus"),
        ({"wait_seconds": 26}, "/wait_seconds"),
    ],
)
def test_a_claim_that_cannot_be_meant_is_refused(
    agent: FakeAgent, body: dict[str, Any], pointer: str
) -> None:
    asked = {"worker_id": agent.id, "request_id": "r"} | body
    refused = agent.http.post("/agent/claims", json=asked)
    assert pointers_of(problem_of(refused, 422, "invalid")) == [pointer]


@pytest.mark.parametrize(
    ("registration", "pointer"),
    [
        ({"process": KERNEL | {"pid": "x"}}, "/process/pid"),
        ({"slots": 0}, "/slots"),
        ({"labels": {"": "x"}}, "/labels//[key]"),
    ],
)
def test_a_worker_that_cannot_be_meant_is_refused(
    agent: FakeAgent, registration: dict[str, Any], pointer: str
) -> None:
    assert pointers_of(problem_of(agent.put(**registration), 422, "invalid")) == [pointer]


def test_a_beat_with_an_attempt_beyond_any_number_is_left_out(agent: FakeAgent) -> None:
    beat = {"job_id": "job", "attempt": 2**70, "token": ""}
    body = {"worker_id": agent.id, "beats": [beat]}
    answer = agent.http.post("/agent/heartbeats", json=body)
    assert answer.json()["replies"] == []


def test_leases_run_out_on_a_server_that_runs(tmp_path_factory: pytest.TempPathFactory) -> None:
    quick = {
        "heartbeat_seconds": "0.1",
        "start_seconds": "0.3",
        "unreachable_seconds": "0.3",
        "self_end_seconds": "0.4",
        "kill_grace_seconds": "0.1",
        "reassign_seconds": "0.6",
    }
    server = Server(tmp_path_factory.mktemp("quick"), **quick)
    agent = FakeAgent(server)
    path = f"/jobs/{agent.submit()['id']}"
    agent.claim()
    wait_for(lambda: server.http.get(path).json()["state"] == "queued", "the lease's end")
    attempts = server.http.get(f"{path}/attempts").json()["data"]
    assert (attempts[0]["state"], attempts[0]["reason"]) == ("lost", "worker_lost")
    assert server.http.get("/workers").json()["data"] == []
    server.stop()
    agent.http.close()
