"""Who may change whose jobs and checkpoints, who did it, and what the others are shown."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from api_tests.support.access import bearer, make_token
from api_tests.support.access_fixtures import TOKEN, clock, context, people, server
from api_tests.support.fake_agent import FakeAgent
from api_tests.support.problems import problem_of
from api_tests.support.server_context import Clock, server_context
from api_tests.support.specs import SPEC
from api_tests.support.threaded_server import ThreadedServer
from service.context import AppContext
from service.contract.access import Role
from service.settings import Settings
from service.store.engine import Database

__all__ = ["clock", "context", "people", "server"]


@pytest.fixture
def agent(server: ThreadedServer) -> Iterator[FakeAgent]:
    with FakeAgent(server, token=TOKEN) as agent:
        yield agent


def _submit(client: httpx.Client, **fields: Any) -> dict[str, Any]:
    answer = client.post("/jobs", json=SPEC | fields)
    assert answer.status_code == 201, answer.text
    job: dict[str, Any] = answer.json()
    return job


def test_a_user_steers_own_jobs_alone_and_an_admin_all(people: dict[str, httpx.Client]) -> None:
    bob, eve, ann = people["bob"], people["eve"], people["ann"]
    job = _submit(bob)
    assert job["submitted_by"] == "bob"
    path = f"/jobs/{job['id']}"
    calls: list[tuple[str, str, Any]] = [
        ("PATCH", path, {"priority": 3}),
        ("POST", f"{path}/pause", None),
        ("POST", f"{path}/resume", None),
        ("POST", f"{path}/cancel", {}),
        ("POST", f"{path}/retry", {"from": "start"}),
        ("DELETE", path, None),
    ]
    for method, url, body in calls:
        refused = eve.request(method, url, json=body)
        problem = problem_of(refused, 403, "not_own_job")
        assert problem["detail"].endswith("only bob or an admin may change it, and you are eve")
        steering = ann if url.endswith(("pause", "retry")) else bob
        answer = steering.request(method, url, json=body)
        assert answer.status_code in (200, 201, 202, 204), (url, answer.text)
        if url.endswith("/retry"):
            assert answer.json()["submitted_by"] == "ann"


def test_a_user_changes_checkpoints_of_own_jobs_alone(
    people: dict[str, httpx.Client], agent: FakeAgent
) -> None:
    _submit(people["bob"], resources={"labels": {"agent": agent.id}})
    claim = agent.claim()
    checkpoint = f"/checkpoints/{agent.save(claim, 1)}"
    agent.report(claim)
    for method, body in (("PATCH", {"tags": ["mine"]}), ("DELETE", None)):
        refused = people["eve"].request(method, checkpoint, json=body)
        assert "only bob or an admin" in problem_of(refused, 403, "not_own_job")["detail"]
    export = people["eve"].post(f"{checkpoint}/export", json={})
    assert (export.status_code, export.json()["submitted_by"]) == (202, "eve")
    assert people["bob"].patch(checkpoint, json={"tags": ["mine"]}).json()["tags"] == ["mine"]
    assert people["ann"].patch(checkpoint, json={"tags": []}).status_code == 200


@pytest.mark.parametrize(
    "action", [{"action": "cancel"}, {"action": "priority", "priority": 2}, {"action": "delete"}]
)
def test_of_many_jobs_those_of_others_are_refused_each_by_itself(
    people: dict[str, httpx.Client], action: dict[str, Any]
) -> None:
    own, other = _submit(people["eve"])["id"], _submit(people["bob"])["id"]
    if action["action"] == "delete":
        for job_id in (own, other):
            people["ann"].post(f"/jobs/{job_id}/cancel", json={})
    for selection in ({"ids": [own, other]}, {"filter": {"kind": "train"}}):
        reply = people["eve"].post("/jobs/bulk", json=action | selection).json()
        results = {each["id"]: each for each in reply["results"]}
        assert results[other]["problem"]["code"] == "not_own_job"
        assert own not in results or results[own]["ok"]
    assert people["bob"].get(f"/jobs/{other}").status_code == 200


def test_each_event_names_who_caused_it_and_a_list_is_narrowed_to_one_persons_jobs(
    people: dict[str, httpx.Client], agent: FakeAgent, context: AppContext
) -> None:
    labels = {"labels": {"agent": agent.id}}
    job = _submit(people["bob"], resources=labels)["id"]
    _submit(people["eve"])
    agent.http.headers.update(bearer(make_token(context, "gpu-7", Role.WORKER).secret))
    claim = agent.claim()
    agent.http.headers.update(bearer(TOKEN))
    people["ann"].post(f"/jobs/{job}/cancel", json={"mode": "now"})
    agent.report(claim, "cancelled", "cancelled")
    events = people["vic"].get(f"/jobs/{job}/events").json()["data"]
    actors = [(each["kind"], each.get("actor")) for each in events]
    assert actors[:2] == [("submitted", "bob"), ("claimed", "gpu-7")]
    assert ("cancel", "ann") in actors
    # A worker that sends the admin's token is no admin.
    assert actors[-1][1] is None
    listed = people["vic"].get("/jobs", params={"submitted_by": "bob"}).json()
    assert ([each["id"] for each in listed["data"]], listed["total"]) == ([job], 1)
    nobody = people["vic"].get("/jobs", params={"submitted_by": "zoe"}).json()
    assert nobody["total"] == 0


def test_the_actions_of_a_job_are_those_that_its_reader_may_take(
    people: dict[str, httpx.Client], agent: FakeAgent
) -> None:
    job = _submit(people["bob"], resources={"labels": {"agent": agent.id}})["id"]
    _check_actions(people, job)
    claim = agent.claim()
    # A running job is polled past the routes.
    etags = _check_actions(people, job)
    assert len({etags["ann"], etags["bob"], etags["eve"], etags["vic"]}) == 4
    agent.report(claim)
    _check_actions(people, job)


def _check_actions(people: dict[str, httpx.Client], job_id: str) -> dict[str, str]:
    """By name the ETag of the job as each is shown it."""
    etags = {}
    for name, client in people.items():
        alone = client.get(f"/jobs/{job_id}")
        etags[name] = alone.headers["etag"]
        unchanged = client.get(f"/jobs/{job_id}", headers={"If-None-Match": etags[name]})
        assert unchanged.status_code == 304
        for query in ({}, {"fields": "actions"}):
            (listed,) = client.get("/jobs", params=query).json()["data"]
            assert listed["actions"] == alone.json()["actions"]
        paths = [each["path"] for each in alone.json()["actions"]]
        steering = any(path.startswith(f"/jobs/{job_id}") for path in paths)
        assert steering is (name in ("ann", "bob")), (name, paths)
        assert name != "vic" or paths == []
    return etags


def test_a_job_of_before_tokens_is_an_admins_alone(database: Database, tmp_path: Path) -> None:
    context = server_context(database, tmp_path, Clock(), Settings(volume=tmp_path))
    server = ThreadedServer(context)
    try:
        job = _submit(server.http)
        assert job["submitted_by"] is None
        ann = bearer(make_token(context, "ann", Role.ADMIN).secret)
        bob = bearer(make_token(context, "bob", Role.USER).secret)
        cancel = f"/jobs/{job['id']}/cancel"
        problem = problem_of(server.http.post(cancel, json={}, headers=bob), 403, "not_own_job")
        assert "only an admin may change it" in problem["detail"]
        assert server.http.post(cancel, json={}, headers=ann).status_code == 202
    finally:
        server.stop()
