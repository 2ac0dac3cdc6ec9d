"""`POST /jobs/bulk` with an idempotency key: sent twice, and sent again after it was cut off."""

from typing import Any

import pytest

from api_tests.support.job_yard import SPEC, JobYard
from api_tests.support.problems import problem_of
from api_tests.support.shared_yard import yard
from service.control.jobs import bulk
from service.store import idempotency

__all__ = ["yard"]

KEYS = {action: {"Idempotency-Key": f"cut off: {action}"} for action in ("retry", "delete")}


def cut_off(yard: JobYard, body: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """Send a call whose last transaction, which would store its reply, fails."""
    with monkeypatch.context() as broken:
        broken.setattr(idempotency, "add_reply", None)
        answer = yard.http.post("/jobs/bulk", json=body, headers=KEYS[body["action"]])
        assert answer.status_code == 500


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
    cut_off(yard, body, monkeypatch)
    assert yard.listed(label="team:cut-off")["counts"]["queued"] == 2
    again = yard.http.post("/jobs/bulk", json=body, headers=KEYS["retry"]).json()
    assert yard.listed(label="team:cut-off")["counts"]["queued"] == 3
    assert {each["job"]["parent_job_id"] for each in again["results"]} == set(ids)


def test_a_call_that_was_cut_off_tells_of_each_job_that_it_deleted_when_it_is_sent_again(
    yard: JobYard, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk, "_BATCHES", {"delete": 2})
    ids = [yard.submit(labels={"team": "half-deleted"}) for _ in range(3)]
    yard.bulk("cancel", ids=ids)
    body = {"action": "delete", "ids": [*ids, "job_unknown"]}
    cut_off(yard, body, monkeypatch)
    assert yard.listed(label="team:half-deleted")["counts"]["cancelled"] == 1
    again = yard.http.post("/jobs/bulk", json=body, headers=KEYS["delete"]).json()
    assert [each["ok"] for each in again["results"]] == [True, True, True, False]
    other = yard.bulk("delete", ids=ids)
    assert [each["problem"]["code"] for each in other["results"]] == ["no_such_job"] * 3
