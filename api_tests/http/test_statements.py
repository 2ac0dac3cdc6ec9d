"""How many statements each route sends, and that no GET writes."""

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, event

from api_tests.support.counted_calls import CountedCalls
from api_tests.support.manifests import a_manifest, folder_of, published_body
from api_tests.support.server_context import Clock, server_context
from api_tests.support.threaded_server import ThreadedServer
from service.contract.catalog import builtin_catalog
from service.contract.checkpoints import MANIFEST, attempt_path, job_files_path
from service.store.engine import Database
from service.store.polled_rows import SqliteRows

ALLOWED = {
    "POST /jobs": (16, 8),
    "GET /jobs": (10, 0),
    "GET /jobs/series": (2, 0),
    "POST /jobs/bulk": (8, 6),
    "GET /jobs/{job_id}": (9, 0),
    "PATCH /jobs/{job_id}": (11, 11),
    "DELETE /jobs/{job_id}": (20, 15),
    "GET /jobs/{job_id}/attempts": (2, 0),
    "GET /jobs/{job_id}/events": (2, 0),
    "GET /jobs/{job_id}/checkpoints": (2, 0),
    "GET /jobs/{job_id}/metrics": (3, 0),
    "GET /jobs/{job_id}/samples": (4, 0),
    "GET /jobs/{job_id}/files/{name}": (1, 0),
    "GET /jobs/{job_id}/logs": (1, 0),
    "GET /jobs/{job_id}/log.txt": (1, 0),
    "GET /jobs/{job_id}/lineage": (4, 0),
    "POST /jobs/{job_id}/cancel": (5, 5),
    "POST /jobs/{job_id}/pause": (4, 4),
    "POST /jobs/{job_id}/resume": (12, 12),
    "POST /jobs/{job_id}/retry": (16, 16),
    "GET /jobs/{job_id}/stream": (4, 0),
    "GET /stream": (2, 0),
    "POST /checkpoints/import": (14, 4),
    "POST /checkpoints/{checkpoint_id}/export": (24, 22),
    "GET /checkpoints/{checkpoint_id}/export": (4, 0),
    "POST /checkpoints/{checkpoint_id}/verify": (9, 8),
    "POST /checkpoints/gc": (15, 5),
    "GET /checkpoints": (1, 0),
    "GET /checkpoints/latest": (1, 0),
    "GET /checkpoints/best": (1, 0),
    "GET /checkpoints/{checkpoint_id}": (2, 0),
    "PATCH /checkpoints/{checkpoint_id}": (8, 6),
    "DELETE /checkpoints/{checkpoint_id}": (10, 10),
    "GET /checkpoints/{checkpoint_id}/lineage": (5, 0),
    "GET /checkpoints/{checkpoint_id}/files/{name}": (1, 0),
    "GET /imports": (0, 0),
    "GET /workers": (3, 0),
    "GET /workers/{worker_id}": (4, 0),
    "GET /workers/{worker_id}/samples": (3, 0),
    "POST /workers/{worker_id}/drain": (4, 2),
    "POST /workers/{worker_id}/resume": (5, 3),
    "GET /metrics": (0, 0),
    "GET /healthz": (0, 0),
    "GET /readyz": (1, 0),
    "GET /version": (0, 0),
    "GET /session": (0, 0),
    "POST /session": (0, 0),
    "DELETE /session": (0, 0),
    "GET /recipes": (4, 0),
    "GET /recipes/{name}": (4, 0),
    "GET /datasets": (1, 0),
    "PUT /agent/workers/{worker_id}": (3, 3),
    "PUT /agent/workers/{worker_id}/volume": (3, 3),
    "PUT /agent/workers/{worker_id}/catalog": (5, 4),
    "POST /agent/workers/{worker_id}/gone": (8, 8),
    "POST /agent/claims": (16, 13),
    "POST /agent/heartbeats": (17, 17),
    "POST /agent/reports": (9, 9),
}
"""By route the most statements of one call, and how many of them in transactions that write."""

WRITES = ("INSERT", "UPDATE", "DELETE", "REPLACE")
KERNEL = {"boot_id": "boot", "pid_namespace": "pid:[1]", "pid": 7, "started_ticks": 99}
CONTENT = b"weights"
DIGEST = {"bytes": len(CONTENT), "sha256": hashlib.sha256(CONTENT).hexdigest()}
SPEC = {
    "kind": "train",
    "recipe": "oneshot",
    "data": {"dataset": "digits"},
    "params": {"batch_size": 32},
}


@pytest.fixture
def server(sqlite: Database, tmp_path: Path) -> Iterator[ThreadedServer]:
    server = ThreadedServer(server_context(sqlite, tmp_path, Clock()))
    yield server
    server.stop()


@pytest.fixture
def calls(server: ThreadedServer) -> Iterator[CountedCalls]:
    calls = CountedCalls(server.http)

    def sent(_: object, __: object, statement: str, *___: object) -> None:
        calls.sent(statement)

    event.listen(Engine, "before_cursor_execute", sent)
    yield calls
    event.remove(Engine, "before_cursor_execute", sent)


def test_every_route_keeps_to_its_number_of_statements_and_no_get_writes(
    server: ThreadedServer, calls: CountedCalls
) -> None:
    _call_every_route(server, calls)
    assert set(calls.statements) == _routes(server) == set(ALLOWED)
    above = {
        route: statements
        for route, statements in calls.statements.items()
        if len(statements) > ALLOWED[route][0] or calls.writing[route] > ALLOWED[route][1]
    }
    assert not above
    written = {
        route: statement
        for route, statements in calls.statements.items()
        for statement in statements
        if route.startswith("GET ") and statement.lstrip().upper().startswith(WRITES)
    }
    assert not written


def test_a_poll_of_a_running_job_reads_its_version_and_if_it_has_changed_its_row(
    calls: CountedCalls, monkeypatch: pytest.MonkeyPatch
) -> None:
    read_row = SqliteRows.row

    def counted_row(rows: SqliteRows, query: str, key: str) -> tuple[Any, ...] | None:
        calls.sent(query)
        return read_row(rows, query, key)

    # Polls send theirs without SQLAlchemy.
    monkeypatch.setattr(SqliteRows, "row", counted_row)
    calls("PUT /agent/workers/{worker_id}", "wrk_1", json={"host": "a", "process": KERNEL})
    job_id = calls("POST /jobs", expect=201, json=SPEC)["id"]
    _claim(calls)
    route = "GET /jobs/{job_id}"

    def statements_of_a_poll(expect: int, **headers: str) -> int:
        calls.statements.clear()
        calls(route, job_id, expect=expect, headers=headers)
        return len(calls.statements[route])

    assert statements_of_a_poll(200) == 2
    assert statements_of_a_poll(200) == 1
    assert statements_of_a_poll(304, **{"If-None-Match": "*"}) == 1


def test_a_get_of_an_export_that_nobody_asked_for_makes_no_job(
    server: ThreadedServer, calls: CountedCalls
) -> None:
    checkpoint = _train(server, calls)
    jobs = server.http.get("/jobs").json()["data"]
    refused = server.http.get(f"/checkpoints/{checkpoint}/export?format=onnx")
    assert (refused.status_code, refused.json()["code"]) == (404, "no_export")
    assert "POST" in refused.json()["detail"]
    assert [job["id"] for job in server.http.get("/jobs").json()["data"]] == [
        job["id"] for job in jobs
    ]


def test_an_export_whose_file_is_gone_is_made_again_by_a_post_alone(
    server: ThreadedServer, calls: CountedCalls
) -> None:
    checkpoint = _train(server, calls)
    export = f"/checkpoints/{checkpoint}/export"
    first = server.http.post(export, json={"format": "onnx"}).json()["id"]
    _run_export(server, calls)
    assert server.http.get(export, params={"format": "onnx"}).content == CONTENT
    (server.volume / job_files_path(first, 1) / "weights.onnx").unlink()
    assert server.http.get(export, params={"format": "onnx"}).status_code == 404
    again = server.http.post(export, json={"format": "onnx"}).json()["id"]
    assert again != first
    pending = server.http.get(export, params={"format": "onnx", "wait_seconds": 0})
    assert (pending.status_code, pending.json()["id"]) == (202, again)


def _call_every_route(server: ThreadedServer, calls: CountedCalls) -> None:
    checkpoint = _train(server, calls)
    trained = calls("GET /checkpoints/{checkpoint_id}", checkpoint)["job_id"]
    _read_job(calls, trained)
    _read_checkpoints(calls, checkpoint)
    calls("POST /checkpoints/{checkpoint_id}/export", checkpoint, expect=202, json={})
    export = _run_export(server, calls)
    calls("GET /jobs/{job_id}/files/{name}", export, "weights.onnx")
    calls("GET /checkpoints/{checkpoint_id}/export", checkpoint)
    calls("PATCH /checkpoints/{checkpoint_id}", checkpoint, json={"pinned": True, "tags": ["a"]})
    calls("POST /checkpoints/{checkpoint_id}/verify", checkpoint)
    _steer_jobs(calls)
    calls("PATCH /checkpoints/{checkpoint_id}", checkpoint, json={"pinned": False, "tags": []})
    _steer_workers(calls)
    read = ("/metrics", "/healthz", "/readyz", "/version", "/recipes", "/datasets", "/imports")
    for path in read:
        calls(f"GET {path}")
    calls("GET /recipes/{name}", "oneshot")
    calls("GET /session")
    calls("POST /session", expect=409, json={"token": "a server without one has no login"})
    calls("DELETE /session", expect=204)
    query = {"wait_seconds": 0}
    calls("POST /checkpoints/import", expect=202, json={"file": "a.pth"}, params=query)
    calls("DELETE /checkpoints/{checkpoint_id}", checkpoint, expect=204)
    calls("POST /checkpoints/gc", json={})
    calls("DELETE /jobs/{job_id}", trained, expect=204)
    calls.first_event("GET /stream")


def _read_job(calls: CountedCalls, job_id: str) -> None:
    calls("GET /jobs")
    calls("GET /jobs/series", params={"ids": job_id})
    calls("GET /jobs/{job_id}", job_id)
    parts = ("attempts", "events", "checkpoints", "metrics", "samples", "lineage")
    for name in (*parts, "logs", "log.txt"):
        calls(f"GET /jobs/{{job_id}}/{name}", job_id)
    calls("GET /jobs/{job_id}/stream", job_id)


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


def _steer_workers(calls: CountedCalls) -> None:
    calls("GET /workers")
    calls("GET /workers/{worker_id}", "wrk_1")
    calls("GET /workers/{worker_id}/samples", "wrk_1")
    calls("POST /workers/{worker_id}/drain", "wrk_1", expect=202)
    calls("POST /workers/{worker_id}/resume", "wrk_1", expect=202)
    _claim(calls)
    calls("POST /agent/workers/{worker_id}/gone", "wrk_1", expect=204, json={})


def _train(server: ThreadedServer, calls: CountedCalls) -> str:
    """A training from its submission to its end, with a checkpoint; the checkpoint's id."""
    calls("PUT /agent/workers/{worker_id}", "wrk_1", json={"host": "a", "process": KERNEL})
    catalog = builtin_catalog().model_dump(mode="json")
    volume = {"path": "/mnt/volume", "id": None}
    calls("PUT /agent/workers/{worker_id}/volume", "wrk_1", expect=200, json=volume)
    calls("PUT /agent/workers/{worker_id}/catalog", "wrk_1", expect=204, json=catalog)
    calls("POST /jobs", expect=201, json=SPEC, headers={"Idempotency-Key": "first"})
    claim = _claim(calls)
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


def _run_export(server: ThreadedServer, calls: CountedCalls) -> str:
    claim = _claim(calls)
    folder = server.volume / job_files_path(claim["job_id"], 1)
    folder.mkdir(parents=True)
    (folder / "weights.onnx").write_bytes(CONTENT)
    result = {"files": {"weights.onnx": DIGEST}}
    end = {"outcome": "succeeded", "reason": "finished", "result": result}
    calls("POST /agent/reports", json=_of(claim) | end)
    return str(claim["job_id"])


def _claim(calls: CountedCalls) -> dict[str, Any]:
    request = f"request-{len(calls.statements)}"
    body = {"worker_id": "wrk_1", "request_id": request, "free_slots": 1, "wait_seconds": 0}
    claim: dict[str, Any] = calls("POST /agent/claims", json=body)
    return claim


def _of(claim: dict[str, Any]) -> dict[str, Any]:
    return {name: claim[name] for name in ("job_id", "attempt", "token")}


def _routes(server: ThreadedServer) -> set[str]:
    paths = server.http.get("/openapi.json").json()["paths"]
    return {f"{method.upper()} {path}" for path, methods in paths.items() for method in methods}
