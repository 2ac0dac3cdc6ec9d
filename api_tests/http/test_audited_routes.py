"""No route that changes something can forget the audit list, or write to it by itself."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from api_tests.support.counted_calls import CountedCalls
from api_tests.support.logins import PAGE
from api_tests.support.route_walk import call_every_route
from api_tests.support.server_context import Clock, server_context
from api_tests.support.specs import SPEC
from api_tests.support.threaded_server import ThreadedServer
from service.contract.audit import AuditSelection
from service.store import audit
from service.store.engine import Database

NOT_NOTED = {
    "PUT /agent/workers/{worker_id}",
    "PUT /agent/workers/{worker_id}/volume",
    "PUT /agent/workers/{worker_id}/catalog",
    "POST /agent/workers/{worker_id}/gone",
    "POST /agent/claims",
    "POST /agent/heartbeats",
    "POST /agent/reports",
}
"""What agents report, of which the histories of jobs tell."""


class AuditedCalls(CountedCalls):
    """Calls of a server; the routes whose calls have left entries."""

    def __init__(self, server: ThreadedServer, database: Database) -> None:
        super().__init__(server.http)
        self._database = database
        self.noted: set[str] = set()

    @contextmanager
    def counted(self, route: str) -> Iterator[None]:
        before = self.newest()
        with super().counted(route):
            yield
        if self.newest() > before:
            self.noted.add(route)

    def newest(self) -> int:
        """The number of the last entry; 0 before the first."""
        with self._database.read() as tx:
            return max((e.number for e in audit.page(tx, AuditSelection(), None, 1)), default=0)


@pytest.fixture
def server(sqlite: Database, tmp_path: Path) -> Iterator[ThreadedServer]:
    server = ThreadedServer(server_context(sqlite, tmp_path, Clock()))
    yield server
    server.stop()


@pytest.fixture
def calls(server: ThreadedServer, sqlite: Database) -> AuditedCalls:
    return AuditedCalls(server, sqlite)


def test_every_route_that_changes_something_leaves_an_entry(
    server: ThreadedServer, calls: AuditedCalls
) -> None:
    call_every_route(server, calls)
    secret = server.http.headers["Authorization"].removeprefix("Bearer ")
    paths = server.http.get("/openapi.json").json()["paths"]
    del server.http.headers["Authorization"]
    calls("POST /session", expect=201, json={"token": secret})
    calls("DELETE /session", expect=204, headers=PAGE)
    changing = {
        f"{method.upper()} {path}"
        for path, methods in paths.items()
        for method in methods
        if method not in ("get", "head")
    }
    assert len(changing) > 25
    assert changing - calls.noted == NOT_NOTED


def test_an_act_and_its_entry_are_stored_together_or_not_at_all(
    calls: AuditedCalls, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = calls("POST /jobs", expect=201, json=SPEC)["id"]
    newest = calls.newest()

    def broken(*_: object) -> None:
        raise RuntimeError("the list cannot be written")

    monkeypatch.setattr(audit, "note_all", broken)
    for route, ids, body in (
        ("POST /jobs", (), SPEC),
        ("POST /jobs/{job_id}/cancel", (job,), {}),
        ("PATCH /jobs/{job_id}", (job,), {"priority": 3}),
        ("POST /webhooks", (), {"url": "https://1.1.1.1/hook"}),
        ("POST /tokens", (), {"name": "ann", "role": "admin"}),
    ):
        calls(route, *ids, expect=500, json=body)
    monkeypatch.undo()
    listed = calls("GET /jobs")
    assert [(each["id"], each["state"], each["version"]) for each in listed["data"]] == [
        (job, "queued", 1)
    ]
    assert calls("GET /webhooks")["data"] == calls("GET /tokens")["data"] == []
    assert calls.newest() == newest
