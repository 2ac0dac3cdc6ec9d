"""Sweeps over HTTP: begun, followed, steered, and gone on with by a server that was killed."""

import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from api_tests.support.fake_agent import FakeAgent
from api_tests.support.problems import problem_of
from api_tests.support.server import Server, wait_for
from api_tests.support.sweeps import a_sweep

BODY: dict[str, Any] = a_sweep().model_dump(mode="json", exclude_defaults=True) | {
    "method": {"kind": "grid"}
}


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Server]:
    """A server that has no other jobs."""
    server = Server(tmp_path)
    yield server
    if server.process.poll() is None:
        server.stop()


def begin(server: Server, **fields: Any) -> dict[str, Any]:
    answer = server.http.post("/sweeps", json=BODY | fields)
    assert answer.status_code == 201, answer.text
    sweep: dict[str, Any] = answer.json()
    assert answer.headers["Location"] == f"/sweeps/{sweep['id']}"
    return sweep


def trials(server: Server, sweep: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = server.http.get(f"/sweeps/{sweep['id']}/trials").json()["data"]
    return found


def state(server: Server, sweep: dict[str, Any]) -> str:
    found: str = server.http.get(f"/sweeps/{sweep['id']}").json()["state"]
    return found


def end_one(agent: FakeAgent, error: float) -> None:
    claim = agent.claim()
    agent.beat(claim, ("metrics", {"step": 50, "metrics": {"top1_error": error}}))
    agent.save(claim, 50)
    agent.report(claim)


def test_a_sweep_goes_on_after_its_server_was_killed_and_makes_each_job_once(own: Server) -> None:
    sweep = begin(own, jobs_at_once=1)
    agent = FakeAgent(own)
    wait_for(lambda: len(trials(own, sweep)) == 1, "the first trial")
    end_one(agent, 0.5)
    agent.http.close()
    own.stop(signal.SIGKILL)
    own.start()
    agent = FakeAgent(own)
    for number, error in ((2, 0.25), (3, 0.75), (4, 0.5)):
        wait_for(lambda n=number: len(trials(own, sweep)) == n, f"trial {number}")
        end_one(agent, error)
    wait_for(lambda: state(own, sweep) == "finished", "the end")
    agent.http.close()
    ended = own.http.get(f"/sweeps/{sweep['id']}").json()
    assert ended["trials"] == {"succeeded": 4}
    assert (ended["best"]["number"], ended["best"]["value"]) == (2, 0.25)
    assert own.http.get(f"/checkpoints/{ended['best']['checkpoint_id']}").json()["step"] == 50
    jobs = own.http.get("/jobs", params={"label": f"sweep:{sweep['id']}"}).json()
    assert len(jobs["data"]) == 4
    assert {job["id"] for job in jobs["data"]} == {t["job_id"] for t in trials(own, sweep)}


def test_a_sweep_is_paused_resumed_cancelled_and_deleted(own: Server) -> None:
    sweep = begin(own, jobs_at_once=2)
    wait_for(lambda: len(trials(own, sweep)) == 2, "the first trials")
    path = f"/sweeps/{sweep['id']}"
    assert own.http.post(f"{path}/pause").json()["state"] == "paused"
    assert [each["job_state"] for each in trials(own, sweep)] == ["paused", "paused"]
    assert own.http.post(f"{path}/resume").json()["state"] == "running"
    assert own.http.delete(path).status_code == 409
    assert own.http.post(f"{path}/cancel").json()["state"] == "cancelling"
    wait_for(lambda: state(own, sweep) == "cancelled", "the end")
    problem_of(own.http.post(f"{path}/resume"), 409, "sweep_state")
    listed = own.http.get("/sweeps", params={"state": "cancelled"}).json()["data"]
    assert [each["id"] for each in listed] == [sweep["id"]]
    assert own.http.get("/sweeps", params={"state": "running"}).json()["data"] == []
    either = own.http.get("/sweeps", params={"state": ["running", "cancelled"]}).json()["data"]
    assert [each["id"] for each in either] == [sweep["id"]]
    polled = own.http.get(path)
    again = own.http.get(path, headers={"If-None-Match": polled.headers["ETag"]})
    assert again.status_code == 304
    assert own.http.delete(path).status_code == 204
    problem_of(own.http.get(path), 404, "no_such_sweep")
    problem_of(own.http.get(f"{path}/trials"), 404, "no_such_sweep")


def test_lists_of_sweeps_and_trials_have_pages(own: Server) -> None:
    sweeps = [begin(own, jobs_at_once=4) for _ in range(3)]
    first = own.http.get("/sweeps", params={"limit": 2}).json()
    assert [each["id"] for each in first["data"]] == [sweeps[2]["id"], sweeps[1]["id"]]
    assert first["has_more"]
    rest = own.http.get("/sweeps", params={"limit": 2, "after": first["next"]}).json()
    assert [each["id"] for each in rest["data"]] == [sweeps[0]["id"]]
    wait_for(lambda: len(trials(own, sweeps[0])) == 4, "the trials")
    path = f"/sweeps/{sweeps[0]['id']}/trials"
    half = own.http.get(path, params={"limit": 3}).json()
    assert [each["number"] for each in half["data"]] == [1, 2, 3]
    rest = own.http.get(path, params={"after": half["next"]}).json()
    assert [each["number"] for each in rest["data"]] == [4]


def test_what_a_sweep_is_refused_for_names_the_field(server: Server) -> None:
    values = {"batch_size": {"values": [16, -1]}}
    refused = server.http.post("/sweeps", json=BODY | {"parameters": values})
    problem = problem_of(refused, 422, "invalid")
    assert [each["pointer"] for each in problem["errors"]] == ["/parameters/batch_size"]
    bodies: list[tuple[dict[str, Any], str]] = [
        ({"parameters": {"batch_size": {"low": 1}}}, "/parameters/batch_size/high"),
        ({"parameters": {"batch_size": {"values": []}}}, "/parameters/batch_size/values"),
        ({"method": {"kind": "asha", "trials": 0, "min_steps": 1}}, "/method/trials"),
        ({"method": {"kind": "tea-leaves"}}, "/method"),
    ]
    for body, pointer in bodies:
        problem = problem_of(server.http.post("/sweeps", json=BODY | body), 422, "invalid")
        assert [each["pointer"] for each in problem["errors"]] == [pointer]
    grid = {"learning_rate": {"low": 0.1, "high": 1}}
    refused = server.http.post("/sweeps", json=BODY | {"parameters": grid})
    assert "a grid needs values" in problem_of(refused, 422, "invalid")["detail"]


def test_a_dry_run_stores_nothing_and_the_same_key_makes_one_sweep(server: Server) -> None:
    before = server.http.get("/sweeps").json()["data"]
    checked = server.http.post("/sweeps", params={"validate_only": "true"}, json=BODY)
    assert checked.status_code == 200
    assert checked.json()["jobs_at_once"] == 4
    assert server.http.get("/sweeps").json()["data"] == before
    key = {"Idempotency-Key": "sweep-key"}
    first = server.http.post("/sweeps", json=BODY, headers=key)
    second = server.http.post("/sweeps", json=BODY, headers=key)
    assert (first.status_code, second.status_code) == (201, 200)
    assert first.json()["id"] == second.json()["id"]
    other = server.http.post("/sweeps", json=BODY | {"name": "other"}, headers=key)
    problem_of(other, 422, "idempotency_mismatch")
    server.http.post(f"/sweeps/{first.json()['id']}/cancel")
