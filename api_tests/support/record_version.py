"""Records what the installed version says and keeps, as fixtures for the versions after it.

`PYTHONPATH=CHECKOUT python api_tests/support/record_version.py FOLDER`, where CHECKOUT has the
version to record: its server runs, and the messages of a worker and its replies, the database and a
checkpoint's folder are written. It imports nothing of this tree.
"""

import hashlib
import json
import os
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import httpx

WORKER = "wrk_before"
REGISTRATION = {
    "host": "gpu-1",
    "process": {
        "boot_id": "boot",
        "pid_namespace": "pid:[4026531836]",
        "pid": 7,
        "started_ticks": 99,
    },
    "gpus": [{"index": 0, "name": "NVIDIA H100", "memory_bytes": 85520809984}],
    "slots": 8,
    "labels": {"zone": "a"},
    "version": "1.0.0",
}
TRAIN = {
    "kind": "train",
    "recipe": "oneshot",
    "data": {"dataset": "digits"},
    "params": {"batch_size": 32, "total_iters": 40},
    "retention": {"keep_last": 2, "keep_best": 0},
}
MODELS = ("Registration", "Gone", "ClaimRequest", "Claim", "Heartbeat", "HeartbeatReply")
MODELS += ("BeatReply", "Report")
REGISTRATION_REPLY = ("RegistrationReply", "Registered")


class Recorder:
    """A worker that trains nothing: what it sends and is answered is written down."""

    def __init__(self, url: str, folder: Path, volume: Path) -> None:
        self.http = httpx.Client(base_url=url, timeout=30)
        self._folder, self._volume, self._seq = folder, volume, 0

    def send(self, method: str, path: str, body: Any, name: str = "", reply: str = "") -> Any:
        """One request; with names it and its reply become files."""
        answer = self.http.request(method, path, json=body)
        answer.raise_for_status()
        reply_content = answer.json() if answer.content else None
        for file, content in ((name, body), (reply, reply_content)):
            if file:
                self._write(file, content)
        return reply_content

    def submit(self, key: str | None = None, **fields: Any) -> str:
        """The id of a new job."""
        headers = {"Idempotency-Key": key} if key else {}
        answer = self.http.post("/jobs", json=TRAIN | fields, headers=headers)
        answer.raise_for_status()
        return str(answer.json()["id"])

    def claim(self, request_id: str, name: str = "", reply: str = "") -> dict[str, Any]:
        """The first job of the queue."""
        body = {"worker_id": WORKER, "request_id": request_id, "free_slots": 8, "free_gpus": 1}
        claim = self.send("POST", "/agent/claims", body | {"wait_seconds": 0.0}, name, reply)
        assert claim, "nothing is queued"
        return dict(claim)

    def beat(self, claim: dict[str, Any], *events: dict[str, Any], **files: str) -> Any:
        """A heartbeat for one attempt."""
        body = {"worker_id": WORKER, "beats": [_of(claim) | {"events": events, "purged": []}]}
        return self.send("POST", "/agent/heartbeats", body, **files)

    def event(self, kind: str, **body: Any) -> dict[str, Any]:
        """The next event."""
        self._seq += 1
        return {"seq": self._seq, "kind": kind, "at": "2026-01-01T00:00:00Z", "body": body}

    def checkpoint(self, claim: dict[str, Any], step: int) -> dict[str, Any]:
        """A whole folder on the volume, and the event that tells of it."""
        manifest = _manifest(claim, step)
        path = f"jobs/{claim['job_id']}/attempts/{claim['attempt']}/step-{step:09d}"
        for folder in (self._volume / path, self._folder / "checkpoint"):
            folder.mkdir(parents=True, exist_ok=True)
            body = json.dumps(manifest, indent=1).encode()
            (folder / "model.safetensors").write_bytes(b"weights")
            line = f"{hashlib.sha256(body).hexdigest()}  manifest.json\n"
            (folder / "manifest.sha256").write_text(line)
            (folder / "manifest.json").write_bytes(body)
        return self.event("checkpoint", checkpoint=manifest, path=path)

    def report(self, claim: dict[str, Any], outcome: str, reason: str, **files: str) -> Any:
        """The end of an attempt."""
        body = _of(claim) | {"outcome": outcome, "reason": reason, "message": "", "result": None}
        return self.send("POST", "/agent/reports", body | {"events": []}, **files)

    def _write(self, name: str, content: Any) -> None:
        text = json.dumps(content, indent=1, sort_keys=True) + "\n"
        (self._folder / f"{name}.json").write_text(text)


def record(recorder: Recorder) -> None:
    """A row in every table, and a message of every kind."""
    path = f"/agent/workers/{WORKER}"
    recorder.send("PUT", "/agent/workers/wrk_earlier", REGISTRATION)
    recorder.send("PUT", path, REGISTRATION, "Registration", "RegistrationReply")
    finished = recorder.submit()
    claim = recorder.claim("request-1")
    recorder.beat(claim, recorder.checkpoint(claim, 4))
    recorder.report(claim, "succeeded", "finished")
    released = recorder.submit(key="key-1", labels={"team": "vision"}, name="a training")
    claim = recorder.claim("request-2", name="ClaimRequest")
    recorder.beat(
        claim,
        recorder.event("started", step=0, total_steps=40),
        recorder.event("progress", phase="train", step=2, total_steps=40, metrics={"loss": 2.0}),
        *(recorder.checkpoint(claim, step) for step in (4, 8, 12)),
        recorder.event("metrics", step=12, metrics={"top1_error": 0.5, "val_loss": 1.5}),
        recorder.event("note", message="a word to the user"),
        name="Heartbeat",
        reply="HeartbeatReply",
    )
    recorder.report(claim, "released", "released", name="Report", reply="BeatReply")
    running = recorder.claim("request-3", reply="Claim")
    assert running["job_id"] == released, "the released job is first in the queue"
    recorder.beat(running)
    known = recorder.http.get("/checkpoints", params={"job": finished}).json()["data"][0]["id"]
    recorder.send("PATCH", f"/checkpoints/{known}", {"pinned": True, "tags": ["good"]})
    recorder.send("POST", f"/jobs/{recorder.submit()}/cancel", {})
    recorder.send("POST", f"/jobs/{recorder.submit()}/pause", None)
    recorder.submit()
    recorder.submit(kind="eval", checkpoint={"id": known})
    recorder.send("POST", f"/checkpoints/{known}/export", {})
    recorder.send("POST", "/checkpoints/import?wait_seconds=0", {"file": "weights.pth"})
    recorder.send("POST", "/agent/workers/wrk_earlier/gone", {"message": "over"}, "Gone")


def schemas() -> dict[str, Any]:
    """By name the schema of each message as the recorded version checks it."""
    from service.contract import agent

    by_name = {name: getattr(agent, name).model_json_schema() for name in MODELS}
    reply = next(getattr(agent, name) for name in REGISTRATION_REPLY if hasattr(agent, name))
    return by_name | {"RegistrationReply": reply.model_json_schema()}


def _of(claim: dict[str, Any]) -> dict[str, Any]:
    return {name: claim[name] for name in ("job_id", "attempt", "token")}


def _manifest(claim: dict[str, Any], step: int) -> dict[str, Any]:
    sha256 = hashlib.sha256(b"weights").hexdigest()
    return {
        "format": 1,
        "checkpoint_id": f"ckpt_{claim['job_id'][-6:]}_{claim['attempt']}_{step}",
        "job_id": claim["job_id"],
        "attempt": claim["attempt"],
        "step": step,
        "phase": "train",
        "recipe": "oneshot",
        "variant": "searched",
        "num_classes": 10,
        "class_names": [str(digit) for digit in range(10)],
        "image_size": 224,
        "preprocessing": "bgr255",
        "spec_sha256": "0" * 64,
        "world_size": 1,
        "created_at": "2026-01-01T00:00:00Z",
        "metrics": {"top1_error": 0.5},
        "aliases": {},
        "versions": {"torch": "2.5.0"},
        "parent_checkpoint": None,
        "files": {"model.safetensors": {"bytes": 7, "sha256": sha256}},
    }


def main(folder: Path) -> None:
    """Run the server of the version, and write the fixtures."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "schemas.json").write_text(json.dumps(schemas(), indent=1, sort_keys=True) + "\n")
    with tempfile.TemporaryDirectory() as scratch:
        installation = Path(scratch)
        variables = {"VOLUME": "volume", "DATA_ROOT": "data", "IMPORT_ROOT": "imports"}
        settings = {
            f"TRAINYARD_{name}": f"{installation}/{path}" for name, path in variables.items()
        }
        settings |= {
            "TRAINYARD_DATABASE_URL": f"sqlite:///{installation}/trainyard.db",
            "TRAINYARD_PORT": "0",
            "TRAINYARD_LIMITS": "team=vision:2",
        }
        with (installation / "log").open("w") as log:
            command = [sys.executable, "-m", "service.main"]
            server = subprocess.Popen(command, env=os.environ | settings, stderr=log)
        try:
            record(Recorder(_url(installation / "log"), folder, installation / "volume"))
        finally:
            server.send_signal(signal.SIGTERM)
            server.wait(30)
        _dump(installation / "trainyard.db", folder / "trainyard.sql")


def _url(log: Path) -> str:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        for line in log.read_text().splitlines():
            if '"serving"' in line:
                return str(json.loads(line)["url"])
        time.sleep(0.1)
    raise AssertionError(log.read_text())


def _dump(database: Path, file: Path) -> None:
    with sqlite3.connect(database) as connection:
        # A deletion that was cut off before its folder was removed.
        connection.execute("INSERT INTO deleted_jobs VALUES ('job_deleted')")
        connection.commit()
        file.write_text("\n".join(connection.iterdump()) + "\n")
    connection.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
