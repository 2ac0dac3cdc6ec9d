"""A worker that trains nothing: it speaks the agents' verbs, and writes folders on the volume."""

import hashlib
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any, Self

import httpx

from api_tests.support.manifests import a_manifest, folder_of, published_body
from api_tests.support.server import Server
from api_tests.support.threaded_server import ThreadedServer
from service.contract.checkpoints import MANIFEST, attempt_path

KERNEL = {"boot_id": "boot", "pid_namespace": "pid:[1]", "pid": 7, "started_ticks": 99}
NOW = datetime(2026, 1, 1, tzinfo=UTC)
_numbers = count(1)


class FakeAgent:
    """Takes only jobs that ask for its own label; as a context it closes its client at the end."""

    def __init__(self, server: Server | ThreadedServer, token: str | None = None) -> None:
        self._server, self._seq = server, count(1)
        self.id = f"wrk_{next(_numbers)}"
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        self.http = httpx.Client(base_url=server.url, timeout=30, headers=headers)
        self.put().raise_for_status()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.http.close()

    @property
    def volume(self) -> Path:
        """The server's volume."""
        return self._server.volume

    def put(self, **fields: Any) -> httpx.Response:
        """Register."""
        body = {"host": "test", "process": KERNEL, "labels": {"agent": self.id}} | fields
        return self.http.put(f"/agent/workers/{self.id}", json=body)

    def submit(self, **fields: Any) -> dict[str, Any]:
        """A job that nobody but this agent can take."""
        response = self.http.post("/jobs", json=self.spec(**fields))
        response.raise_for_status()
        job: dict[str, Any] = response.json()
        return job

    def spec(self, **fields: Any) -> dict[str, Any]:
        """The submission of such a job."""
        return {
            "kind": "train",
            "recipe": "oneshot",
            "data": {"dataset": "digits"},
            "params": {"batch_size": 32},
            "resources": {"labels": {"agent": self.id}},
        } | fields

    def ask(
        self, request_id: str | None = None, wait_seconds: float = 0, **fields: Any
    ) -> httpx.Response:
        """Ask for a job."""
        body = {
            "worker_id": self.id,
            "request_id": request_id or f"request-{next(self._seq)}",
            "wait_seconds": wait_seconds,
            **fields,
        }
        return self.http.post("/agent/claims", json=body)

    def claim(self) -> dict[str, Any]:
        """Ask for a job that must be there, and say that the claim arrived."""
        response = self.ask()
        assert response.status_code == 200, response.text
        claim: dict[str, Any] = response.json()
        self.beat(claim)
        return claim

    def beat(self, claim: dict[str, Any], *events: tuple[str, dict[str, Any]]) -> dict[str, Any]:
        """A heartbeat with events of (kind, body); the reply for the attempt."""
        beat = _of(claim) | {"events": [self.event(kind, **body) for kind, body in events]}
        body = {"worker_id": self.id, "beats": [beat]}
        response = self.http.post("/agent/heartbeats", json=body)
        assert response.status_code == 200, response.text
        reply: dict[str, Any] = response.json()["replies"][0]
        return reply

    def event(self, kind: str, **body: Any) -> dict[str, Any]:
        """The next event."""
        return {"seq": next(self._seq), "kind": kind, "at": NOW.isoformat(), "body": body}

    def report(
        self,
        claim: dict[str, Any],
        outcome: str = "succeeded",
        reason: str = "finished",
        **fields: Any,
    ) -> httpx.Response:
        """The end of an attempt."""
        body = _of(claim) | {"outcome": outcome, "reason": reason} | fields
        return self.http.post("/agent/reports", json=body)

    def save(
        self,
        claim: dict[str, Any],
        step: int,
        content: bytes = b"weights",
        phase: str = "train",
        **fields: Any,
    ) -> str:
        """Write a checkpoint's folder and tell of it; its id. `fields` are of its manifest."""
        digest = {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
        manifest = a_manifest(
            claim["job_id"],
            step,
            phase=phase,
            attempt=claim["attempt"],
            files={"model.safetensors": digest},
            **fields,
        )
        folder = self._server.volume / folder_of(manifest)
        folder.mkdir(parents=True)
        (folder / "model.safetensors").write_bytes(content)
        (folder / MANIFEST).write_text(manifest.model_dump_json())
        self.beat(claim, ("checkpoint", published_body(manifest)))
        return manifest.checkpoint_id

    def folder_of(self, checkpoint_id: str) -> Path:
        """Where a checkpoint is on the volume."""
        path = self.http.get(f"/checkpoints/{checkpoint_id}").json()["path"]
        return self._server.volume / str(path)

    def log(self, claim: dict[str, Any], content: bytes) -> None:
        """Write the attempt's log."""
        path = self.log_path(claim)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)

    def log_path(self, claim: dict[str, Any]) -> Path:
        """Where the attempt's log is on the volume."""
        folder = self._server.volume / attempt_path(claim["job_id"], claim["attempt"])
        return folder / "log.txt"


def _of(claim: dict[str, Any]) -> dict[str, Any]:
    return {name: claim[name] for name in ("job_id", "attempt", "token")}
