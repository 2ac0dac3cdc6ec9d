"""A newer server's replies, as this version's worker and client read them over HTTP."""

import threading
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse

from api_tests.support.fake_server import FakeServer
from api_tests.support.versions import after, message
from service.client import TrainyardClient
from service.contract.agent import ClaimRequest, Heartbeat
from service.contract.jobs import ENDED_JOBS
from workers.agent.client import ControlPlane

JOB: dict[str, Any] = {
    "object": "job",
    "id": "job_1",
    "kind": "search",
    "recipe": None,
    "variant": None,
    "state": "hibernating",
    "reason": "cold",
    "created_at": "2026-01-01T00:00:00Z",
    "progress": {"step": 1, "total_steps": 2, "phase": "explore", "trials": 3},
    "spec": {"kind": "search", "space": {"lr": [0.1]}},
    "unreadable": None,
}
CHECKPOINT: dict[str, Any] = {
    "id": "ckpt_1",
    "job_id": "job_1",
    "attempt": 1,
    "recipe": "oneshot",
    "variant": "searched",
    "step": 1,
    "phase": "distill",
    "created_at": "2026-01-01T00:00:00Z",
    "bytes": 7,
    "files": {"a": {"bytes": 7, "sha256": "0" * 64, "blake3": "1"}},
    "path": "jobs/job_1/attempts/1/step-000000001",
    "state": "archived",
}
WORKER: dict[str, Any] = {
    "id": "wrk_1",
    "host": "h",
    "state": "hibernating",
    "gpus": [{"index": 0, "name": "B200", "memory_bytes": 1, "mig": "1g"}],
    "registered_at": "2026-01-01T00:00:00Z",
    "last_seen_at": "2026-01-01T00:00:00Z",
}


class NewerServer:
    """Answers each path with what it is given, and keeps what is reported."""

    def __init__(self) -> None:
        self.replies: dict[str, Any] = {
            "/jobs": {"data": [JOB], "has_more": False, "next": None},
            "/jobs/job_1": JOB,
            "/checkpoints/ckpt_1": CHECKPOINT,
            "/workers": {"data": [WORKER], "has_more": False, "next": None},
            "/agent/claims": message("Claim"),
            "/agent/heartbeats": message("HeartbeatReply"),
            "/agent/reports": message("BeatReply"),
        }
        self.reports: list[Any] = []
        app = FastAPI()

        @app.api_route("/{path:path}", methods=["GET", "POST", "PUT"], response_model=None)
        async def reply(request: Request) -> JSONResponse:
            if request.url.path == "/agent/reports":
                self.reports.append(await request.json())
            # The agent's client lives as long as its process, and has no end of its own.
            headers = {"Connection": "close"}
            return JSONResponse(after(self.replies[request.url.path]), headers=headers)

        self.server = FakeServer(app)


@pytest.fixture
def newer() -> Iterator[NewerServer]:
    newer = NewerServer()
    yield newer
    newer.server.stop()


@pytest.fixture
def control_plane(newer: NewerServer) -> ControlPlane:
    return ControlPlane(newer.server.url, None, threading.Event())


REQUEST = ClaimRequest(worker_id="wrk_1", request_id="r", wait_seconds=0)


def test_a_claim_with_unknown_fields_is_taken(control_plane: ControlPlane) -> None:
    claim = control_plane.claim(REQUEST)
    assert claim is not None
    assert claim.job_id == message("Claim")["job_id"]
    assert claim.spec.kind == "train"


def test_a_claim_that_cannot_be_read_is_given_back_for_another_worker(
    newer: NewerServer, control_plane: ControlPlane
) -> None:
    newer.replies["/agent/claims"] = message("Claim") | {"spec": {"kind": "search"}}
    assert control_plane.claim(REQUEST) is None
    (report,) = newer.reports
    assert (report["outcome"], report["reason"]) == ("failed", "worker_unfit")
    assert report["token"] == message("Claim")["token"]
    assert "cannot read the job" in report["message"]


def test_an_unknown_directive_lets_the_attempt_continue(
    newer: NewerServer, control_plane: ControlPlane
) -> None:
    body = message("HeartbeatReply")
    body["replies"][0]["directive"] = "move_to_another_zone"
    newer.replies["/agent/heartbeats"] = body
    (reply,) = control_plane.heartbeat(Heartbeat(worker_id="wrk_1")).replies
    assert reply.directive == "continue"
    assert reply.acked_seq == 8


def test_a_client_shows_unknown_states_reasons_and_kinds_as_they_are(newer: NewerServer) -> None:
    with TrainyardClient(newer.server.url) as client:
        (job,) = client.jobs()
        assert (job.kind, job.state, job.reason) == ("search", "hibernating", "cold")
        assert job.state not in ENDED_JOBS
        assert client.job("job_1").model_dump(mode="json")["spec"]["space"] == {
            "lr": [0.1],
            "of_a_version_after": {"since": 2},
        }
        assert client.checkpoint("ckpt_1").state == "archived"
        (worker,) = client.workers()
        assert (worker.state, worker.gpus[0].name) == ("hibernating", "B200")
