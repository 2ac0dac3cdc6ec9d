"""How many statements each route sends, and that no GET writes."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from api_tests.support.counted_calls import CountedCalls
from api_tests.support.route_walk import (
    CONTENT,
    KERNEL,
    call_every_route,
    claim_one,
    run_export,
    train,
)
from api_tests.support.sent_statements import heard_statements
from api_tests.support.server_context import Clock, server_context
from api_tests.support.specs import SPEC
from api_tests.support.threaded_server import ThreadedServer
from service.contract.checkpoints import job_files_path
from service.store.engine import Database
from service.store.polled_rows import SqliteRows

ALLOWED = {
    "POST /jobs": (18, 10),
    "GET /jobs": (10, 0),
    "GET /jobs/series": (2, 0),
    "POST /jobs/bulk": (8, 6),
    "GET /jobs/{job_id}": (9, 0),
    "PATCH /jobs/{job_id}": (12, 12),
    "DELETE /jobs/{job_id}": (22, 17),
    "GET /jobs/{job_id}/attempts": (2, 0),
    "GET /jobs/{job_id}/events": (2, 0),
    "GET /jobs/{job_id}/checkpoints": (2, 0),
    "GET /jobs/{job_id}/metrics": (3, 0),
    "GET /jobs/{job_id}/samples": (4, 0),
    "GET /jobs/{job_id}/files/{name}": (1, 0),
    "GET /jobs/{job_id}/logs": (1, 0),
    "GET /jobs/{job_id}/log.txt": (1, 0),
    "GET /jobs/{job_id}/lineage": (4, 0),
    "GET /jobs/{job_id}/search": (6, 0),
    "GET /jobs/{job_id}/candidates": (3, 0),
    "GET /jobs/{job_id}/candidates.csv": (3, 0),
    "POST /jobs/{job_id}/cancel": (7, 7),
    "POST /jobs/{job_id}/pause": (6, 6),
    "POST /jobs/{job_id}/resume": (14, 14),
    "POST /jobs/{job_id}/retry": (19, 19),
    "GET /jobs/{job_id}/stream": (4, 0),
    "GET /stream": (2, 0),
    "POST /checkpoints/import": (16, 6),
    "POST /checkpoints/{checkpoint_id}/export": (26, 24),
    "GET /checkpoints/{checkpoint_id}/export": (4, 0),
    "POST /checkpoints/{checkpoint_id}/verify": (10, 9),
    "POST /checkpoints/gc": (16, 6),
    "GET /checkpoints": (1, 0),
    "GET /checkpoints/latest": (1, 0),
    "GET /checkpoints/best": (1, 0),
    "GET /checkpoints/{checkpoint_id}": (2, 0),
    "PATCH /checkpoints/{checkpoint_id}": (9, 7),
    "DELETE /checkpoints/{checkpoint_id}": (11, 11),
    "GET /checkpoints/{checkpoint_id}/lineage": (5, 0),
    "GET /checkpoints/{checkpoint_id}/files/{name}": (1, 0),
    "GET /exports/jobs.csv": (2, 0),
    "GET /exports/jobs/{job_id}/events.csv": (3, 0),
    "GET /exports/metrics.csv": (6, 0),
    "GET /exports/checkpoints.csv": (2, 0),
    "GET /imports": (0, 0),
    "GET /workers": (3, 0),
    "GET /workers/{worker_id}": (4, 0),
    "GET /workers/{worker_id}/samples": (3, 0),
    "POST /workers/{worker_id}/drain": (5, 3),
    "POST /workers/{worker_id}/resume": (6, 4),
    "POST /sweeps": (8, 7),
    "GET /sweeps": (3, 0),
    "GET /sweeps/{sweep_id}": (3, 0),
    "GET /sweeps/{sweep_id}/trials": (2, 0),
    "POST /sweeps/{sweep_id}/pause": (8, 8),
    "POST /sweeps/{sweep_id}/resume": (8, 8),
    "POST /sweeps/{sweep_id}/cancel": (8, 8),
    "DELETE /sweeps/{sweep_id}": (4, 4),
    "POST /webhooks": (3, 3),
    "GET /webhooks": (1, 0),
    "GET /webhooks/{webhook_id}": (1, 0),
    "PATCH /webhooks/{webhook_id}": (4, 4),
    "DELETE /webhooks/{webhook_id}": (4, 4),
    "POST /webhooks/{webhook_id}/rotate-secret": (3, 3),
    "POST /webhooks/{webhook_id}/test": (3, 3),
    "GET /webhooks/{webhook_id}/deliveries": (2, 0),
    "POST /webhooks/{webhook_id}/deliveries/{event_id}/redeliver": (5, 5),
    "GET /metrics": (5, 0),
    "GET /healthz": (0, 0),
    "GET /readyz": (1, 0),
    "GET /version": (0, 0),
    "GET /session": (0, 0),
    "POST /session": (0, 0),
    "DELETE /session": (0, 0),
    "GET /tokens": (1, 0),
    "POST /tokens": (7, 4),
    "DELETE /tokens/{token_id}": (6, 3),
    "GET /audit": (1, 0),
    "GET /recipes": (4, 0),
    "GET /recipes/{name}": (4, 0),
    "GET /recipes/{name}/size": (4, 0),
    "GET /datasets": (1, 0),
    "PUT /agent/workers/{worker_id}": (3, 3),
    "PUT /agent/workers/{worker_id}/volume": (3, 3),
    "PUT /agent/workers/{worker_id}/catalog": (5, 4),
    "POST /agent/workers/{worker_id}/gone": (9, 9),
    "POST /agent/claims": (18, 14),
    "POST /agent/heartbeats": (18, 18),
    "POST /agent/reports": (10, 10),
}
"""By route the most statements of one call, and how many of them in transactions that write."""

WRITES = ("INSERT", "UPDATE", "DELETE", "REPLACE")


@pytest.fixture
def server(sqlite: Database, tmp_path: Path) -> Iterator[ThreadedServer]:
    server = ThreadedServer(server_context(sqlite, tmp_path, Clock()))
    yield server
    server.stop()


@pytest.fixture
def calls(server: ThreadedServer) -> Iterator[CountedCalls]:
    calls = CountedCalls(server.http)
    with heard_statements(calls.sent):
        yield calls


def test_every_route_keeps_to_its_number_of_statements_and_no_get_writes(
    server: ThreadedServer, calls: CountedCalls
) -> None:
    call_every_route(server, calls)
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
    claim_one(calls)
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
    checkpoint = train(server, calls)
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
    checkpoint = train(server, calls)
    export = f"/checkpoints/{checkpoint}/export"
    first = server.http.post(export, json={"format": "onnx"}).json()["id"]
    run_export(server, calls)
    assert server.http.get(export, params={"format": "onnx"}).content == CONTENT
    (server.volume / job_files_path(first, 1) / "weights.onnx").unlink()
    assert server.http.get(export, params={"format": "onnx"}).status_code == 404
    again = server.http.post(export, json={"format": "onnx"}).json()["id"]
    assert again != first
    pending = server.http.get(export, params={"format": "onnx", "wait_seconds": 0})
    assert (pending.status_code, pending.json()["id"]) == (202, again)


def _routes(server: ThreadedServer) -> set[str]:
    paths = server.http.get("/openapi.json").json()["paths"]
    return {f"{method.upper()} {path}" for path, methods in paths.items() for method in methods}
