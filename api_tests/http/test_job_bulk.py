"""`POST /jobs/bulk`: one action on many jobs, each with a result of its own."""

from collections.abc import Iterator
from typing import Any

import pytest

from api_tests.support.fake_agent import FakeAgent
from api_tests.support.job_yard import SPEC, JobYard
from api_tests.support.problems import pointers_of, problem_of
from api_tests.support.sent_statements import sent_statements
from api_tests.support.server import Server, wait_for
from service.control.jobs import bulk, bulk_pages
from service.store import idempotency
from service.store.engine import Database

ACTIONS: dict[str, dict[str, Any]] = {
    "cancel": {"mode": "now"},
    "pause": {},
    "resume": {},
    "retry": {"from": "start"},
    "delete": {},
    "label": {"labels": {"team": None, "new": "x"}},
    "priority": {"priority": 7},
}


@pytest.fixture(scope="module")
def yard(shared_database: Database, tmp_path_factory: pytest.TempPathFactory) -> Iterator[JobYard]:
    """One of each database for all tests: each has jobs, labels and keys of its own."""
    yard = JobYard(shared_database, tmp_path_factory.mktemp("yard"))
    yield yard
    yard.server.stop()


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


def test_a_filter_means_the_jobs_that_the_list_shows(yard: JobYard) -> None:
    labels = {"team": "filtered"}
    wanted = [yard.submit(labels=labels, params={"learning_rate": 0.25}) for _ in range(2)]
    yard.submit(labels=labels)
    yard.submit(params={"learning_rate": 0.25})
    narrow = {"label": "team:filtered", "state": ["queued"], "param.learning_rate": 0.25}
    reply = yard.bulk("pause", filter=narrow)
    assert [each["id"] for each in reply["results"]] == wanted[::-1]
    assert yard.bulk("pause", filter=narrow) == {"object": "bulk", "matched": 0, "results": []}
    counts = yard.listed(label="team:filtered")["counts"]
    assert (counts["queued"], counts["paused"]) == (1, 2)


def test_a_filter_that_means_too_many_jobs_changes_none_and_says_how_many(
    yard: JobYard, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk_pages, "MOST_JOBS", 2)
    for _ in range(4):
        yard.submit(labels={"team": "too-many"})
    body = {"action": "cancel", "filter": {"label": "team:too-many"}}
    problem = problem_of(yard.http.post("/jobs/bulk", json=body), 422, "too_many_jobs")
    assert "4 jobs match" in problem["detail"]
    assert '"limit": 2' in problem["detail"]
    assert pointers_of(problem) == ["/filter"]
    assert yard.listed(label="team:too-many")["counts"]["queued"] == 4


def test_a_filter_is_worked_off_part_by_part_and_each_job_once(yard: JobYard) -> None:
    labels = {"team": "part-by-part"}
    old = [yard.submit(labels=labels) for _ in range(5)][::-1]
    wanted = {"label": "team:part-by-part"}
    yard.bulk("cancel", filter=wanted)
    retry = {"filter": wanted, "from": "start", "limit": 2}
    parts = [yard.bulk("retry", **retry)]
    assert (parts[0]["left"], parts[0]["next"]) == (3, old[1])
    while "next" in parts[-1]:
        parts.append(yard.bulk("retry", **retry, after=parts[-1]["next"]))
    # The new jobs have the same label, and are none of those that are meant.
    assert [[each["id"] for each in part["results"]] for part in parts] == [
        old[:2], old[2:4], old[4:],
    ]  # fmt: skip
    assert [part.get("left") for part in parts] == [3, 1, None]
    assert all(each["ok"] for part in parts for each in part["results"])
    counts = yard.listed(label="team:part-by-part")["counts"]
    assert (counts["queued"], counts["cancelled"]) == (5, 5)


def test_the_same_key_gives_the_same_part_and_the_same_place_to_go_on(yard: JobYard) -> None:
    for _ in range(3):
        yard.submit(labels={"team": "same-part"})
    body = {"action": "pause", "filter": {"label": "team:same-part"}, "limit": 2}
    first, again = (
        yard.http.post("/jobs/bulk", json=body, headers={"Idempotency-Key": "same-part"})
        for _ in range(2)
    )
    assert again.headers["Idempotent-Replay"] == "true"
    assert first.json() == again.json()
    assert first.json()["left"] == 1


def test_the_same_key_gives_the_same_results_and_another_body_is_refused(yard: JobYard) -> None:
    job_id = yard.submit()
    key = {"Idempotency-Key": "again"}
    body: dict[str, Any] = {"action": "pause", "ids": [job_id]}
    first = yard.http.post("/jobs/bulk", json=body, headers=key)
    yard.http.post(f"/jobs/{job_id}/resume").raise_for_status()
    second = yard.http.post("/jobs/bulk", json=body, headers=key)
    assert (first.status_code, second.status_code) == (200, 200)
    assert second.content == first.content
    assert "idempotent-replay" not in first.headers
    assert second.headers["idempotent-replay"] == "true"
    assert yard.http.get(f"/jobs/{job_id}").json()["state"] == "queued"
    other = yard.http.post("/jobs/bulk", json=body | {"action": "cancel"}, headers=key)
    problem_of(other, 422, "idempotency_mismatch")
    problem_of(yard.http.post("/jobs", json=SPEC, headers=key), 422, "idempotency_mismatch")
    yard.http.post("/jobs", json=SPEC, headers={"Idempotency-Key": "job"}).raise_for_status()
    taken = yard.http.post("/jobs/bulk", json=body, headers={"Idempotency-Key": "job"})
    problem_of(taken, 422, "idempotency_mismatch")


def test_a_call_that_was_cut_off_retries_no_job_twice_when_it_is_sent_again(
    yard: JobYard, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk, "_BATCHES", {"retry": 2})
    ids = [yard.submit(labels={"team": "cut-off"}) for _ in range(3)]
    yard.bulk("cancel", ids=ids)
    body = {"action": "retry", "ids": ids, "from": "start"}
    with monkeypatch.context() as broken:
        broken.setattr(idempotency, "add_reply", None)
        assert yard.http.post("/jobs/bulk", json=body, headers=KEY).status_code == 500
    assert yard.listed(label="team:cut-off")["counts"]["queued"] == 2
    again = yard.http.post("/jobs/bulk", json=body, headers=KEY).json()
    assert yard.listed(label="team:cut-off")["counts"]["queued"] == 3
    assert {each["job"]["parent_job_id"] for each in again["results"]} == set(ids)


def test_a_call_that_was_cut_off_tells_of_each_job_that_it_deleted_when_it_is_sent_again(
    yard: JobYard, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk, "_BATCHES", {"delete": 2})
    ids = [yard.submit(labels={"team": "half-deleted"}) for _ in range(3)]
    yard.bulk("cancel", ids=ids)
    body = {"action": "delete", "ids": [*ids, "job_unknown"]}
    key = {"Idempotency-Key": "half deleted"}
    with monkeypatch.context() as broken:
        broken.setattr(idempotency, "add_reply", None)
        assert yard.http.post("/jobs/bulk", json=body, headers=key).status_code == 500
    assert yard.listed(label="team:half-deleted")["counts"]["cancelled"] == 1
    again = yard.http.post("/jobs/bulk", json=body, headers=key).json()
    assert [each["ok"] for each in again["results"]] == [True, True, True, False]
    other = yard.bulk("delete", ids=ids)
    assert [each["problem"]["code"] for each in other["results"]] == ["no_such_job"] * 3


MANY_PARAMETERS = {f"param.p{number}": "1" for number in range(70)}


@pytest.mark.parametrize(
    ("body", "pointer", "detail"),
    [
        ({"action": "cancel"}, "", "ids or by filter"),
        ({"action": "cancel", "ids": ["a"], "filter": {}}, "", "ids or by filter"),
        ({"action": "stop", "ids": ["a"]}, "/action", "'cancel', 'pause'"),
        ({"action": "cancel", "ids": []}, "/ids", "at least 1 item"),
        ({"action": "cancel", "ids": ["a"] * 1001}, "/ids", "at most 1000 items"),
        ({"action": "cancel", "ids": ["a"], "mode": "later"}, "/mode", "'graceful' or 'now'"),
        ({"action": "pause", "ids": ["a"], "mode": "now"}, "", "mode is for the action cancel"),
        ({"action": "retry", "ids": ["a"], "priority": 1}, "", "for the action priority"),
        ({"action": "label", "ids": ["a"]}, "", "the action label needs labels"),
        ({"action": "label", "ids": ["a"], "labels": {}}, "/labels", "at least 1 item"),
        ({"action": "priority", "ids": ["a"]}, "", "the action priority needs priority"),
        ({"action": "priority", "ids": ["a"], "priority": "1"}, "/priority", "whole number"),
        ({"action": "cancel", "filter": {"limit": 5}}, "/filter/limit", "not known"),
        ({"action": "cancel", "filter": {"stat": "queued"}}, "/filter/stat", "mean state?"),
        ({"action": "cancel", "filter": {"state": "nix"}}, "/filter/state/0", "'queued'"),
        ({"action": "cancel", "filter": {"q": ""}}, "/filter/q", "at least 1 character"),
        ({"action": "cancel", "filter": {"state": []}}, "/filter/state", "at least 1 item"),
        ({"action": "delete", "filter": {"label": []}}, "/filter/label", "at least 1 item"),
        ({"action": "cancel", "filter": MANY_PARAMETERS}, "/filter/param.p64", "at most 64"),
        ({"action": "cancel", "filter": {}, "limit": 1001}, "/limit", "less than or equal to 1000"),
        ({"action": "cancel", "ids": ["a"], "limit": 5}, "", "limit is for a filter"),
        (
            {"action": "cancel", "filter": {}, "after": "job_1"},
            "",
            "after is for a call with limit",
        ),
        ({"action": "cancel", "idz": ["a"]}, "/idz", "did you mean ids?"),
    ],
    ids=str,
)
def test_a_call_on_many_jobs_that_cannot_be_meant_is_refused_by_its_field(
    yard: JobYard, body: dict[str, Any], pointer: str, detail: str
) -> None:
    problem = problem_of(yard.http.post("/jobs/bulk", json=body), 422, "invalid")
    details = {each["pointer"]: each["detail"] for each in problem["errors"]}
    assert detail in details[pointer], details


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


KEY = {"Idempotency-Key": "cut-off"}
STATES = ("queued", "running", "paused", "pausing", "cancelling", "succeeded", "failed")


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
