"""A submission with a key is made once, and its key tells what has become of it."""

import httpx
import pytest

from api_tests.support.fake_agent import FakeAgent
from api_tests.support.problems import pointers_of, problem_of
from api_tests.support.specs import UNCLAIMED


def test_a_key_gives_the_same_job_and_says_so(http: httpx.Client, agent: FakeAgent) -> None:
    key = {"Idempotency-Key": f"key of {agent.id}"}
    first = http.post("/jobs", json=UNCLAIMED, headers=key)
    again = http.post("/jobs", json=UNCLAIMED, headers=key)
    assert (first.status_code, again.status_code) == (201, 200)
    assert "idempotent-replay" not in first.headers
    assert again.headers["idempotent-replay"] == "true"
    assert again.headers["location"] == first.headers["location"]
    assert again.json()["id"] == first.json()["id"]


@pytest.mark.parametrize("verb", ["submit", "retry", "import"])
def test_a_key_whose_job_is_deleted_makes_no_second_one(
    http: httpx.Client, agent: FakeAgent, verb: str
) -> None:
    headers = {"Idempotency-Key": f"key of {agent.id}, deleted after {verb}"}
    earlier = agent.submit()
    http.post(f"/jobs/{earlier['id']}/cancel")
    path, body = {
        "submit": ("/jobs", agent.spec()),
        "retry": (f"/jobs/{earlier['id']}/retry", {"from": "start"}),
        "import": ("/checkpoints/import?wait_seconds=0", {"file": "none.pth"}),
    }[verb]
    job = http.post(path, json=body, headers=headers).json()
    http.post(f"/jobs/{job['id']}/cancel")
    assert http.delete(f"/jobs/{job['id']}").status_code == 204
    again = http.post(path, json=body, headers=headers)
    assert (again.status_code, again.json()["code"]) == (410, "job_deleted")
    assert job["id"] in again.json()["detail"]


def test_an_import_whose_checkpoint_is_deleted_says_so_to_the_same_key(agent: FakeAgent) -> None:
    key = {"Idempotency-Key": f"key of {agent.id}"}
    path, body = "/checkpoints/import?wait_seconds=0", {"file": "weights.pth"}
    job = agent.http.post(path, json=body, headers=key).json()
    claim = agent.claim()
    assert claim["job_id"] == job["id"]
    checkpoint_id = agent.save(claim, 0)
    agent.report(claim)
    assert agent.http.post(path, json=body, headers=key).json()["id"] == checkpoint_id
    assert agent.http.delete(f"/checkpoints/{checkpoint_id}").status_code == 204
    again = agent.http.post(path, json=body, headers=key)
    problem_of(again, 410, "checkpoint_deleted")


def test_a_key_with_another_body_is_refused(http: httpx.Client, agent: FakeAgent) -> None:
    key = {"Idempotency-Key": f"key of {agent.id}"}
    http.post("/jobs", json=UNCLAIMED, headers=key)
    other = http.post("/jobs", json=UNCLAIMED | {"priority": 1}, headers=key)
    problem_of(other, 422, "idempotency_mismatch")


@pytest.mark.parametrize("key", ["", "k" * 256])
def test_a_key_that_is_empty_or_too_long_is_refused(http: httpx.Client, key: str) -> None:
    refused = http.post("/jobs", json=UNCLAIMED, headers={"Idempotency-Key": key})
    assert pointers_of(problem_of(refused, 422, "invalid")) == ["/header/Idempotency-Key"]


def test_the_longest_key_is_taken(http: httpx.Client, agent: FakeAgent) -> None:
    key = f"{agent.id} ".ljust(255, "k")
    assert http.post("/jobs", json=UNCLAIMED, headers={"Idempotency-Key": key}).status_code == 201
