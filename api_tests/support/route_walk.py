"""A call of every route of a server, each as it is when it finds what it is about."""

import hashlib
from itertools import count
from typing import Any

from api_tests.support.counted_calls import CountedCalls
from api_tests.support.manifests import a_manifest, folder_of, published_body
from api_tests.support.searches import (
    PARAMS,
    SMALL,
    SUPERNET,
    a_candidate,
    searching_catalog,
)
from api_tests.support.specs import SPEC
from api_tests.support.threaded_server import ThreadedServer
from service.contract.catalog import builtin_catalog
from service.contract.checkpoints import MANIFEST, attempt_path, job_files_path

KERNEL = {"boot_id": "boot", "pid_namespace": "pid:[1]", "pid": 7, "started_ticks": 99}
CONTENT = b"weights"
_REQUESTS = count(1)
DIGEST = {"bytes": len(CONTENT), "sha256": hashlib.sha256(CONTENT).hexdigest()}


def call_every_route(server: ThreadedServer, calls: CountedCalls) -> None:
    """Call each route at least once; what it answers otherwise than expected fails."""
    checkpoint = train(server, calls)
    trained = calls("GET /checkpoints/{checkpoint_id}", checkpoint)["job_id"]
    _read_job(calls, trained)
    _read_checkpoints(calls, checkpoint)
    calls("POST /checkpoints/{checkpoint_id}/export", checkpoint, expect=202, json={})
    export = run_export(server, calls)
    calls("GET /jobs/{job_id}/files/{name}", export, "weights.onnx")
    calls("GET /checkpoints/{checkpoint_id}/export", checkpoint)
    calls("PATCH /checkpoints/{checkpoint_id}", checkpoint, json={"pinned": True, "tags": ["a"]})
    calls("POST /checkpoints/{checkpoint_id}/verify", checkpoint)
    _use_search(calls)
    _steer_jobs(calls)
    calls("PATCH /checkpoints/{checkpoint_id}", checkpoint, json={"pinned": False, "tags": []})
    _steer_workers(calls)
    _use_webhooks(calls)
    _use_sweeps(calls)
    read = ("/metrics", "/healthz", "/readyz", "/version", "/recipes", "/datasets", "/imports")
    for path in read:
        calls(f"GET {path}")
    calls("GET /recipes/{name}", "oneshot")
    calls("GET /recipes/{name}/size", "oneshot", params={"blocks": "0" * 20})
    calls("GET /session")
    calls("POST /session", expect=409, json={"token": "a server without one has no login"})
    calls("DELETE /session", expect=204)
    query = {"wait_seconds": 0}
    calls("POST /checkpoints/import", expect=202, json={"file": "a.pth"}, params=query)
    calls("DELETE /checkpoints/{checkpoint_id}", checkpoint, expect=204)
    calls("POST /checkpoints/gc", json={})
    calls("DELETE /jobs/{job_id}", trained, expect=204)
    calls.first_event("GET /stream")
    # The first token closes the server: whatever comes after it sends it.
    token = calls("POST /tokens", expect=201, json={"name": "ann", "role": "admin"})
    server.http.headers["Authorization"] = f"Bearer {token['secret']}"
    calls("GET /tokens")
    calls("GET /audit")
    bob = calls("POST /tokens", expect=201, json={"name": "bob", "role": "viewer"})
    calls("DELETE /tokens/{token_id}", bob["id"], expect=204)


def _read_job(calls: CountedCalls, job_id: str) -> None:
    calls("GET /jobs")
    calls("GET /jobs/series", params={"ids": job_id})
    calls("GET /jobs/{job_id}", job_id)
    parts = ("attempts", "events", "checkpoints", "metrics", "samples", "lineage")
    for name in (*parts, "logs", "log.txt"):
        calls(f"GET /jobs/{{job_id}}/{name}", job_id)
    calls("GET /jobs/{job_id}/stream", job_id)
    calls("GET /exports/jobs.csv")
    calls("GET /exports/jobs/{job_id}/events.csv", job_id)
    calls("GET /exports/metrics.csv", params={"jobs": job_id})
    calls("GET /exports/checkpoints.csv")


def _read_checkpoints(calls: CountedCalls, checkpoint: str) -> None:
    calls("GET /checkpoints")
    calls("GET /checkpoints/latest")
    calls("GET /checkpoints/best", params={"metric": "loss"})
    calls("GET /checkpoints/{checkpoint_id}/lineage", checkpoint)
    calls("GET /checkpoints/{checkpoint_id}/files/{name}", checkpoint, "model.safetensors")


def _steer_jobs(calls: CountedCalls) -> None:
    queued = [calls("POST /jobs", expect=201, json=SPEC)["id"] for _ in range(5)]
    calls("GET /jobs")
    calls("GET /jobs/{job_id}", queued[0])
    calls("PATCH /jobs/{job_id}", queued[0], json={"priority": 3})
    calls("POST /jobs/{job_id}/pause", queued[0], expect=202)
    calls("POST /jobs/{job_id}/resume", queued[0], expect=202)
    calls("POST /jobs/{job_id}/cancel", queued[0], expect=202, json={})
    key = {"Idempotency-Key": "k"}
    many = {"action": "priority", "ids": queued, "priority": 1}
    calls("POST /jobs/bulk", json=many, headers={"Idempotency-Key": "bulk"})
    calls("POST /jobs/{job_id}/retry", queued[0], expect=201, json={"from": "start"}, headers=key)


def _use_webhooks(calls: CountedCalls) -> None:
    # A public address, to which nothing is sent: the server has no loops.
    webhook = calls("POST /webhooks", expect=201, json={"url": "https://1.1.1.1/hook"})["id"]
    calls("GET /webhooks")
    calls("GET /webhooks/{webhook_id}", webhook)
    calls("PATCH /webhooks/{webhook_id}", webhook, json={"name": "chat"})
    calls("POST /webhooks/{webhook_id}/rotate-secret", webhook)
    event = calls("POST /webhooks/{webhook_id}/test", webhook, expect=202)["event_id"]
    calls("GET /webhooks/{webhook_id}/deliveries", webhook)
    route = "POST /webhooks/{webhook_id}/deliveries/{event_id}/redeliver"
    calls(route, webhook, event, expect=202)
    calls("DELETE /webhooks/{webhook_id}", webhook, expect=204)


def _use_sweeps(calls: CountedCalls) -> None:
    body = {
        "job": SPEC,
        "parameters": {"learning_rate": {"values": [0.1]}},
        "method": {"kind": "grid"},
    }
    sweep = calls("POST /sweeps", expect=201, json=body, headers={"Idempotency-Key": "s"})["id"]
    calls("GET /sweeps")
    calls("GET /sweeps/{sweep_id}", sweep)
    calls("GET /sweeps/{sweep_id}/trials", sweep)
    calls("POST /sweeps/{sweep_id}/pause", sweep)
    calls("POST /sweeps/{sweep_id}/resume", sweep)
    calls("POST /sweeps/{sweep_id}/cancel", sweep)
    calls("DELETE /sweeps/{sweep_id}", sweep, expect=204)


def _use_search(calls: CountedCalls) -> None:
    """The search of a supernet, which this worker has trained before."""
    catalog = searching_catalog().model_dump(mode="json")
    calls("PUT /agent/workers/{worker_id}/catalog", "wrk_1", expect=204, json=catalog)
    calls("POST /jobs", expect=201, json=SPEC | SUPERNET)
    claim = claim_one(calls)
    manifest = a_manifest(claim["job_id"], 1, **SUPERNET)
    _tell(calls, claim, "checkpoint", published_body(manifest))
    calls("POST /agent/reports", json=_of(claim) | {"outcome": "succeeded", "reason": "finished"})
    search = {"kind": "search", "data": SPEC["data"], "params": PARAMS | SMALL}
    checkpoint = {"checkpoint": {"id": manifest.checkpoint_id}}
    calls("POST /jobs", expect=201, json=search | checkpoint)
    claim = claim_one(calls)
    _tell(calls, claim, "candidates", {"candidates": [a_candidate(0), a_candidate(1)]})
    for part in ("search", "candidates", "candidates.csv"):
        calls(f"GET /jobs/{{job_id}}/{part}", claim["job_id"])
    calls("POST /agent/reports", json=_of(claim) | {"outcome": "succeeded", "reason": "finished"})


def _tell(calls: CountedCalls, claim: dict[str, Any], kind: str, body: dict[str, Any]) -> None:
    event = {"seq": 1, "kind": kind, "at": "2026-01-01T00:00:00Z", "body": body}
    beat = _of(claim) | {"events": [event]}
    calls("POST /agent/heartbeats", json={"worker_id": "wrk_1", "beats": [beat]})


def _steer_workers(calls: CountedCalls) -> None:
    calls("GET /workers")
    calls("GET /workers/{worker_id}", "wrk_1")
    calls("GET /workers/{worker_id}/samples", "wrk_1")
    calls("POST /workers/{worker_id}/drain", "wrk_1", expect=202)
    calls("POST /workers/{worker_id}/resume", "wrk_1", expect=202)
    claim_one(calls)
    calls("POST /agent/workers/{worker_id}/gone", "wrk_1", expect=204, json={})


def train(server: ThreadedServer, calls: CountedCalls) -> str:
    """A training from its submission to its end, with a checkpoint; the checkpoint's id."""
    calls("PUT /agent/workers/{worker_id}", "wrk_1", json={"host": "a", "process": KERNEL})
    catalog = builtin_catalog().model_dump(mode="json")
    volume = {"path": "/mnt/volume", "id": None}
    calls("PUT /agent/workers/{worker_id}/volume", "wrk_1", expect=200, json=volume)
    calls("PUT /agent/workers/{worker_id}/catalog", "wrk_1", expect=204, json=catalog)
    calls("POST /jobs", expect=201, json=SPEC, headers={"Idempotency-Key": "first"})
    claim = claim_one(calls)
    manifest = a_manifest(
        claim["job_id"], 1, metrics={"loss": 0.5}, files={"model.safetensors": DIGEST}
    )
    folder = server.volume / folder_of(manifest)
    folder.mkdir(parents=True)
    (folder / "model.safetensors").write_bytes(CONTENT)
    (folder / MANIFEST).write_text(manifest.model_dump_json())
    (server.volume / attempt_path(claim["job_id"], 1) / "log.txt").write_text("a line")
    progress = {"phase": "train", "step": 1, "total_steps": 2, "metrics": {"loss": 0.5}}
    bodies = {"progress": progress, "checkpoint": published_body(manifest)}
    events = [
        {"seq": seq, "kind": kind, "at": "2026-01-01T00:00:00Z", "body": body}
        for seq, (kind, body) in enumerate(bodies.items(), 1)
    ]
    beat = _of(claim) | {"events": events}
    calls("POST /agent/heartbeats", json={"worker_id": "wrk_1", "beats": [beat]})
    calls("POST /agent/reports", json=_of(claim) | {"outcome": "succeeded", "reason": "finished"})
    return manifest.checkpoint_id


def run_export(server: ThreadedServer, calls: CountedCalls) -> str:
    """An export that was asked for, from its claim to its end; the id of its job."""
    claim = claim_one(calls)
    folder = server.volume / job_files_path(claim["job_id"], 1)
    folder.mkdir(parents=True)
    (folder / "weights.onnx").write_bytes(CONTENT)
    result = {"files": {"weights.onnx": DIGEST}}
    end = {"outcome": "succeeded", "reason": "finished", "result": result}
    calls("POST /agent/reports", json=_of(claim) | end)
    return str(claim["job_id"])


def claim_one(calls: CountedCalls) -> dict[str, Any]:
    """The claim of the next job by the one worker."""
    request = f"request-{next(_REQUESTS)}"
    body = {"worker_id": "wrk_1", "request_id": request, "free_slots": 1, "wait_seconds": 0}
    claim: dict[str, Any] = calls("POST /agent/claims", json=body)
    return claim


def _of(claim: dict[str, Any]) -> dict[str, Any]:
    return {name: claim[name] for name in ("job_id", "attempt", "token")}
