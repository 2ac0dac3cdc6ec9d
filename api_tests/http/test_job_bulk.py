"""`POST /jobs/bulk`: one action on many jobs, each with a result of its own."""

from typing import Any

import pytest

from api_tests.support.fake_agent import FakeAgent
from api_tests.support.job_yard import JobYard
from api_tests.support.sent_statements import sent_statements
from api_tests.support.server import Server, wait_for
from api_tests.support.shared_yard import yard

__all__ = ["yard"]

ACTIONS: dict[str, dict[str, Any]] = {
    "cancel": {"mode": "now"},
    "pause": {},
    "resume": {},
    "retry": {"from": "start"},
    "delete": {},
    "label": {"labels": {"team": None, "new": "x"}},
    "priority": {"priority": 7},
}

STATES = ("queued", "running", "paused", "pausing", "cancelling", "succeeded", "failed")


def test_many_queued_jobs_are_cancelled_by_the_statements_of_a_few(yard: JobYard) -> None:
    few, many = ([yard.submit() for _ in range(count)] for count in (3, 20))
    with sent_statements() as of_few:
        yard.bulk("cancel", ids=few)
    with sent_statements() as of_many:
        reply = yard.bulk("cancel", ids=many)
    assert len(of_many) == len(of_few) < 10
    assert reply["matched"] == len(many)
    assert reply["results"][0] == {
        "id": many[0],
        "ok": True,
        "job": {"id": many[0], "state": "cancelled", "version": 2, "parent_job_id": None},
    }
    assert {yard.http.get(f"/jobs/{each}").json()["state"] for each in few + many} == {"cancelled"}
    history = yard.http.get(f"/jobs/{many[-1]}/events").json()["data"]
    assert [each["kind"] for each in history] == ["submitted", "cancel"]


@pytest.mark.parametrize("action", ACTIONS)
def test_an_action_does_with_each_job_what_its_own_call_would_do(
    yard: JobYard, action: str
) -> None:
    bodies = ACTIONS[action]
    together, alone = ({state: _job_in(yard, state) for state in STATES} for _ in range(2))
    reply = yard.bulk(action, ids=[*together.values(), "job_none"], **bodies)
    *results, missing = reply["results"]
    assert [result["id"] for result in results] == list(together.values())
    assert (missing["ok"], missing["problem"]["code"]) == (False, "no_such_job")
    for result, (state, job_id) in zip(results, alone.items(), strict=True):
        answer = _alone(yard, action, job_id, bodies)
        assert result["ok"] is answer.is_success, (state, answer.text)
        if not result["ok"]:
            problem = answer.json()
            detail = problem["detail"].replace(job_id, result["id"])
            assert result["problem"] == {"code": problem["code"], "detail": detail}
        elif action == "delete":
            assert "job" not in result
            assert yard.http.get(f"/jobs/{result['id']}").status_code == 404
        else:
            _assert_alike(yard, result["job"], answer.json())
            assert _history(yard, result["id"]) == _history(yard, job_id)


def test_a_label_is_set_or_removed_and_the_others_stay(yard: JobYard) -> None:
    job_id = yard.submit(labels={"team": "vision", "run": "a"})
    yard.bulk("label", ids=[job_id], labels={"run": None, "sweep": "7", "none": None})
    job = yard.http.get(f"/jobs/{job_id}").json()
    assert job["labels"] == job["spec"]["labels"] == {"team": "vision", "sweep": "7"}
    again = yard.bulk("label", ids=[job_id], labels={"sweep": "7"})
    assert again["results"][0]["job"]["version"] == job["version"]
    full = yard.submit(labels={f"key-{number}": "x" for number in range(64)})
    refused = yard.bulk("label", ids=[full, job_id], labels={"one": "more"})
    assert [each["ok"] for each in refused["results"]] == [False, True]
    assert refused["results"][0]["problem"]["code"] == "too_many_labels"


def test_a_worker_is_told_of_a_bulk_cancel_and_the_files_of_deleted_jobs_go(
    server: Server, agent: FakeAgent
) -> None:
    agent.put(slots=2)
    ids = [agent.submit()["id"] for _ in range(2)]
    claims = [agent.claim() for _ in ids]
    folders = [server.volume / "jobs" / job_id for job_id in ids]
    for claim in claims:
        agent.log(claim, b"a line")
    body = {"action": "cancel", "ids": ids, "mode": "now"}
    states = [each["job"]["state"] for each in _sent(agent, body)]
    assert states == ["cancelling", "cancelling"]
    for claim in claims:
        assert agent.beat(claim)["directive"] == "stop"
        agent.report(claim, "cancelled", "cancelled")
    assert all(folder.exists() for folder in folders)
    assert all(each["ok"] for each in _sent(agent, {"action": "delete", "ids": ids}))
    wait_for(lambda: not any(folder.exists() for folder in folders), "the removal of the folders")


def _job_in(yard: JobYard, state: str) -> str:
    job_id = yard.submit(labels={"team": "vision"})
    yard.fill(job_id, state=state)
    return job_id


def _alone(yard: JobYard, action: str, job_id: str, body: dict[str, Any]) -> Any:
    path = f"/jobs/{job_id}"
    if action == "delete":
        return yard.http.delete(path)
    if action == "label":
        return yard.http.patch(path, json={"labels": {"new": "x"}})
    if action == "priority":
        return yard.http.patch(path, json=body)
    return yard.http.post(f"{path}/{action}", json=body)


def _assert_alike(yard: JobYard, small: dict[str, Any], job: dict[str, Any]) -> None:
    """What a result says of a job is what the job is, and what became of the other one."""
    shown = yard.http.get(f"/jobs/{small['id']}").json()
    assert small == {name: shown[name] for name in small}
    for name in ("state", "version", "labels", "reason", "message", "spec"):
        assert shown[name] == job[name] or "job_" in str(job[name]), name


def _history(yard: JobYard, job_id: str) -> list[tuple[str, str]]:
    events = yard.http.get(f"/jobs/{job_id}/events").json()["data"]
    return [(each["kind"], each["message"].split(" as ")[0]) for each in events]


def _sent(agent: FakeAgent, body: dict[str, Any]) -> list[dict[str, Any]]:
    answer = agent.http.post("/jobs/bulk", json=body)
    answer.raise_for_status()
    results: list[dict[str, Any]] = answer.json()["results"]
    return results
