import httpx
import pytest

from api_tests.support.fake_agent import FakeAgent
from api_tests.support.problems import pointers_of, problem_of


@pytest.mark.parametrize("verb", ["pause", "resume", "retry"])
def test_a_verb_for_a_job_that_is_not_there_is_not_found(http: httpx.Client, verb: str) -> None:
    problem_of(http.post(f"/jobs/job_none/{verb}"), 404, "no_such_job")


def test_a_job_is_paused_resumed_and_told_so(agent: FakeAgent) -> None:
    path = f"/jobs/{agent.submit()['id']}"
    claim = agent.claim()
    asked = agent.http.post(f"{path}/pause")
    assert (asked.status_code, asked.json()["state"]) == (202, "pausing")
    assert agent.http.post(f"{path}/pause").status_code == 200
    assert agent.beat(claim)["directive"] == "checkpoint_and_stop"
    withdrawn = agent.http.post(f"{path}/resume")
    assert (withdrawn.status_code, withdrawn.json()["state"]) == (202, "running")
    problem_of(agent.http.post(f"{path}/resume"), 409, "not_paused")
    assert agent.http.post(f"{path}/pause").status_code == 202
    assert agent.report(claim, "released", "released").status_code == 200
    assert agent.http.get(path).json()["state"] == "paused"
    resumed = agent.http.post(f"{path}/resume")
    assert (resumed.status_code, resumed.json()["state"]) == (202, "queued")
    assert agent.claim()["attempt"] == 2


def test_a_finished_job_cannot_be_paused(agent: FakeAgent) -> None:
    job = agent.submit()
    agent.report(agent.claim())
    problem_of(agent.http.post(f"/jobs/{job['id']}/pause"), 409, "not_pausable")


def test_a_finished_job_is_retried_as_a_new_one_once_for_each_key(agent: FakeAgent) -> None:
    parent = agent.submit()
    problem_of(agent.http.post(f"/jobs/{parent['id']}/retry"), 409, "job_not_ended")
    claim = agent.claim()
    saved = agent.save(claim, 10)
    agent.report(claim, "failed", "invalid_data")
    key = {"Idempotency-Key": f"retry of {parent['id']}"}
    made = agent.http.post(f"/jobs/{parent['id']}/retry", headers=key)
    assert made.status_code == 201
    assert made.headers["location"] == f"/jobs/{made.json()['id']}"
    assert made.json()["parent_job_id"] == parent["id"]
    again = agent.http.post(f"/jobs/{parent['id']}/retry", headers=key)
    assert (again.status_code, again.headers["idempotent-replay"]) == (200, "true")
    assert again.json()["id"] == made.json()["id"]
    assert agent.claim()["weights"]["id"] == saved


def test_a_retry_from_what_is_not_there_names_the_field(agent: FakeAgent) -> None:
    parent = agent.submit()
    agent.report(agent.claim(), "failed", "invalid_data")
    path = f"/jobs/{parent['id']}/retry"
    answer = agent.http.post(path, json={"from": "latest"})
    assert pointers_of(problem_of(answer, 422, "no_checkpoint")) == ["/from"]
    problem_of(agent.http.post(path, json={"from": "ckpt_none"}), 422, "no_such_checkpoint")
    assert agent.http.post(path, json={"from": "start"}).status_code == 201


def test_a_retry_goes_on_with_other_resources(agent: FakeAgent) -> None:
    parent = agent.submit(resources={"gpus": 4, "labels": {"zone": "a"}})
    path = f"/jobs/{parent['id']}/retry"
    assert agent.http.post(f"/jobs/{parent['id']}/cancel").json()["state"] == "cancelled"
    key = {"Idempotency-Key": f"narrower than {parent['id']}"}
    zone = {"zone": "a"}
    body = {"from": "start", "resources": {"ranks": 2, "labels": zone}}
    made = agent.http.post(path, json=body, headers=key)
    assert made.status_code == 201
    assert made.json()["spec"]["resources"] == {"gpus": 0, "ranks": 2, "labels": zone}
    same = agent.http.post(path, json={"from": "start"})
    assert same.json()["spec"]["resources"] == parent["spec"]["resources"]
    another = body | {"resources": {"ranks": 3, "labels": zone}}
    problem_of(agent.http.post(path, json=another, headers=key), 422, "idempotency_mismatch")
    both = {"resources": {"gpus": 1, "ranks": 2}}
    refused = problem_of(agent.http.post(path, json=both), 422, "invalid")
    assert pointers_of(refused) == ["/resources"]
    assert "leave out ranks 2" in refused["errors"][0]["detail"]


def test_a_retry_may_take_a_range_of_gpus(agent: FakeAgent) -> None:
    parent = agent.submit(resources={"gpus": 4}, params={"batch_size": 30 * 4})
    path = f"/jobs/{parent['id']}/retry"
    assert agent.http.post(f"/jobs/{parent['id']}/cancel").json()["state"] == "cancelled"
    unshared = {"from": "start", "resources": {"gpus": {"min": 7, "max": 7}}}
    refused = problem_of(agent.http.post(path, json=unshared), 422, "batch_size")
    assert pointers_of(refused) == ["/resources/gpus"]
    assert "let the range have 6 or 8 in it" in refused["errors"][0]["detail"]
    span = {"min": 2, "max": 8}
    made = agent.http.post(path, json={"from": "start", "resources": {"gpus": span}})
    assert made.json()["spec"]["resources"] == {"gpus": span, "labels": {}}


def test_an_edit_needs_the_etag_that_the_job_has_now(agent: FakeAgent) -> None:
    path = f"/jobs/{agent.submit()['id']}"
    etag = agent.http.get(path).headers["etag"]
    edited = agent.http.patch(path, json={"priority": 7}, headers={"If-Match": etag})
    assert (edited.status_code, edited.json()["spec"]["priority"]) == (200, 7)
    stale = agent.http.patch(path, json={"name": "late"}, headers={"If-Match": etag})
    problem_of(stale, 412, "stale")
    fresh = {"If-Match": edited.headers["etag"]}
    assert agent.http.patch(path, json={"name": "n"}, headers=fresh).json()["name"] == "n"
    problem_of(agent.http.patch(path, json={}, headers={"If-Match": "x"}), 412, "stale")


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        ('"99", {}', 200),
        ('{},"99"', 200),
        ('W/"7", x, {}', 200),
        ("*", 200),
        ('"99", "98-0-1"', 412),
        ("x, y", 412),
        ("", 412),
    ],
)
def test_a_change_is_made_if_one_of_the_etags_is_the_jobs(
    agent: FakeAgent, sent: str, status: int
) -> None:
    path = f"/jobs/{agent.submit()['id']}"
    etag = agent.http.get(path).headers["etag"]
    headers = {"If-Match": sent.format(etag)}
    assert agent.http.patch(path, json={"priority": 3}, headers=headers).status_code == status


def test_a_name_that_is_null_is_removed_and_other_fields_are_not_null(agent: FakeAgent) -> None:
    path = f"/jobs/{agent.submit(name='first', labels={'team': 'vision'})['id']}"
    assert agent.http.patch(path, json={"name": None}).json()["name"] is None
    for field in ("labels", "priority", "preemptible"):
        refused = agent.http.patch(path, json={field: None})
        (error,) = problem_of(refused, 422, "invalid")["errors"]
        assert error == {
            "pointer": f"/{field}",
            "detail": "must not be null; leave the field out to keep its value",
        }
    messages = [e["message"] for e in agent.http.get(f"{path}/events").json()["data"]]
    assert "name is removed" in messages
    assert agent.http.get(path).json()["labels"] == {"team": "vision"}
    assert pointers_of(agent.http.patch(path, json={"state": "failed"}).json()) == ["/state"]


def test_a_finished_job_is_deleted_with_its_folders(agent: FakeAgent) -> None:
    job = agent.submit()
    path = f"/jobs/{job['id']}"
    claim = agent.claim()
    agent.log(claim, b"step 10")
    saved = [agent.save(claim, step) for step in (10, 20)]
    agent.http.patch(f"/checkpoints/{saved[1]}", json={"pinned": True})
    folders = {name: agent.folder_of(name) for name in saved}
    problem_of(agent.http.delete(path), 409, "job_not_ended")
    agent.report(claim)
    assert agent.http.delete(path).status_code == 204
    problem_of(agent.http.get(path), 404, "no_such_job")
    assert [folder.exists() for folder in folders.values()] == [False, True]
    assert list(folders[saved[1]].parent.iterdir()) == [folders[saved[1]]]
    assert agent.http.get(f"/checkpoints/{saved[1]}").json()["state"] == "published"


def test_a_draining_worker_is_told_and_claims_nothing_until_it_is_resumed(
    agent: FakeAgent,
) -> None:
    agent.submit()
    drained = agent.http.post(f"/workers/{agent.id}/drain")
    assert (drained.status_code, drained.json()["state"]) == (202, "draining")
    assert agent.ask().status_code == 204
    assert agent.http.post("/agent/heartbeats", json={"worker_id": agent.id}).json()["drain"]
    resumed = agent.http.post(f"/workers/{agent.id}/resume")
    assert (resumed.status_code, resumed.json()["state"]) == (202, "active")
    assert agent.ask().status_code == 200


@pytest.mark.parametrize("verb", ["drain", "resume"])
def test_a_verb_for_a_worker_that_is_not_there_is_not_found(http: httpx.Client, verb: str) -> None:
    problem_of(http.post(f"/workers/wrk_none/{verb}"), 404, "no_such_worker")
