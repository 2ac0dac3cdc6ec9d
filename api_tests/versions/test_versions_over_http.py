"""An older and a newer worker with this server, and this server over the database of before."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from api_tests.support.server import Server
from api_tests.support.versions import WORKER, after, database_before, message, problems_before


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """This version over what the version before has left."""
    folder = tmp_path_factory.mktemp("yard")
    database_before(folder)
    server = Server(folder)
    yield server
    server.stop()


@pytest.fixture
def http(server: Server) -> httpx.Client:
    return server.http


def content_of(response: httpx.Response) -> Any:
    """The body of a success."""
    assert response.is_success, response.text
    return response.json() if response.content else None


def registered(http: httpx.Client, worker_id: str, body: Any) -> Any:
    """The reply to a registration."""
    return content_of(http.put(f"/agent/workers/{worker_id}", json=body))


def test_the_database_of_the_version_before_is_upgraded_and_all_its_rows_are_read(
    http: httpx.Client,
) -> None:
    jobs = content_of(http.get("/jobs"))["data"]
    assert {job["kind"] for job in jobs} == {"train", "eval", "import", "export"}
    assert all(job["unreadable"] is None for job in jobs)
    for job in jobs:
        for part in ("", "/attempts", "/events", "/checkpoints", "/metrics"):
            content_of(http.get(f"/jobs/{job['id']}{part}"))
    checkpoints = content_of(http.get("/checkpoints"))["data"]
    assert any(checkpoint["pinned"] for checkpoint in checkpoints)
    for checkpoint in checkpoints:
        content_of(http.get(f"/checkpoints/{checkpoint['id']}"))
        content_of(http.get(f"/checkpoints/{checkpoint['id']}/lineage"))
    assert [worker["id"] for worker in content_of(http.get("/workers"))["data"]] == [WORKER]


@pytest.mark.parametrize("form", ["before", "after"])
def test_a_worker_of_another_version_registers_claims_beats_and_reports(
    http: httpx.Client, form: str
) -> None:
    def sent(body: Any) -> Any:
        return body if form == "before" else after(body)

    worker_id = f"wrk_of_{form}"
    reply = registered(http, worker_id, sent(message("Registration")))
    assert problems_before("RegistrationReply", reply) == []
    request = message("ClaimRequest") | {"worker_id": worker_id, "request_id": f"new-{form}"}
    claim = content_of(http.post("/agent/claims", json=sent(request)))
    assert problems_before("Claim", claim) == []
    held = {name: claim[name] for name in ("job_id", "attempt", "token")}
    beat = message("Heartbeat")
    events = [event for event in beat["beats"][0]["events"] if event["kind"] != "checkpoint"]
    if form == "after":
        events.append(events[0] | {"seq": 99, "kind": "gradients"})
    beats = [held | {"events": events, "purged": []}]
    reply = content_of(
        http.post("/agent/heartbeats", json=sent({"worker_id": worker_id, "beats": beats}))
    )
    assert problems_before("HeartbeatReply", reply) == []
    assert reply["replies"][0]["acked_seq"] == events[-1]["seq"]
    reason = "released" if form == "before" else "moved_to_another_zone"
    report = message("Report") | held | {"reason": reason}
    reply = content_of(http.post("/agent/reports", json=sent(report)))
    assert problems_before("BeatReply", reply) == []
    job = content_of(http.get(f"/jobs/{held['job_id']}"))
    assert job["state"] == "queued"
    notes = [e["message"] for e in content_of(http.get(f"/jobs/{job['id']}/events"))["data"]]
    assert any("gradients" in note for note in notes) == (form == "after")
    gone = http.post(f"/agent/workers/{worker_id}/gone", json=sent(message("Gone")))
    assert gone.status_code == 204


def test_an_attempt_of_before_the_upgrade_goes_on_and_ends(http: httpx.Client) -> None:
    claim = message("Claim")
    registered(http, WORKER, message("Registration"))
    held = {name: claim[name] for name in ("job_id", "attempt", "token")}
    beats = [held | {"events": [], "purged": []}]
    reply = content_of(http.post("/agent/heartbeats", json={"worker_id": WORKER, "beats": beats}))
    assert not reply["replies"][0]["lease_lost"]
    report = message("Report") | held | {"outcome": "succeeded", "reason": "finished"}
    content_of(http.post("/agent/reports", json=report))
    assert content_of(http.get(f"/jobs/{held['job_id']}"))["state"] == "succeeded"


def test_the_recorded_replies_are_as_the_version_before_checks_them() -> None:
    for name in ("RegistrationReply", "Claim", "HeartbeatReply", "BeatReply"):
        assert problems_before(name, message(name)) == []
        assert problems_before(name, after(message(name)))


def test_a_token_of_another_version_is_no_less_checked(http: httpx.Client) -> None:
    registered(http, WORKER, message("Registration"))
    held = {"job_id": message("Claim")["job_id"], "attempt": 2, "token": "guessed"}
    beats = [held | {"events": [], "purged": []}]
    body = after({"worker_id": WORKER, "beats": beats})
    assert content_of(http.post("/agent/heartbeats", json=body))["replies"][0]["lease_lost"]
