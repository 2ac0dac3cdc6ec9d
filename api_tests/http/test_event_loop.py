"""No route holds up the event loop: one that waits for the database or the volume stops all."""

import inspect
import threading
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import Any

import pytest
from fastapi.routing import APIRoute

from api_tests.support.event_stream import stream
from api_tests.support.fake_agent import FakeAgent
from api_tests.support.server import Server, wait_for
from service import api

COROUTINES = {
    "submit",
    "page",
    "claim",
    "import_",
    "start_export",
    "export",
    "healthz",
    "who_is_logged_in",
    "log_in",
    "log_out",
}
"""The routes that run on the event loop: each is called below."""


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    server = Server(tmp_path, module="api_tests.support.watched_server")
    yield server
    server.stop()


def test_every_route_on_the_event_loop_is_called_by_these_tests() -> None:
    modules = [import_module(each.name) for each in iter_modules(api.__path__, "service.api.")]
    routers = [module.router for module in modules if hasattr(module, "router")]
    routes = [each for router in routers for each in router.routes if isinstance(each, APIRoute)]
    assert len(routes) > 30
    assert {r.name for r in routes if inspect.iscoroutinefunction(r.endpoint)} == COROUTINES


def test_a_submission_is_checked_and_stored_beside_the_event_loop(
    server: Server, agent: FakeAgent
) -> None:
    assert agent.submit()["state"] == "queued"
    checked = server.http.post("/jobs", json=agent.spec(), params={"validate_only": "true"})
    assert checked.status_code == 200


def test_a_long_polled_claim_and_a_stream_wait_beside_the_event_loop(
    server: Server, agent: FakeAgent
) -> None:
    answers: list[Any] = []
    waiting = threading.Thread(target=lambda: answers.append(agent.ask(wait_seconds=20)))
    waiting.start()
    job = agent.submit()
    waiting.join()
    assert answers[0].json()["job_id"] == job["id"]
    with stream(server.http, f"/jobs/{job['id']}/stream") as frames:
        assert [next(frames).kind for _ in range(2)] == ["submitted", "claimed"]


def test_an_import_waits_beside_the_event_loop(server: Server, agent: FakeAgent) -> None:
    answers: list[Any] = []

    def import_weights() -> None:
        answers.append(server.http.post("/checkpoints/import", json={"file": "weights.pth"}))

    importing = threading.Thread(target=import_weights)
    importing.start()
    wait_for(lambda: bool(server.http.get("/jobs").json()["data"]), "the job of the import")
    claim = agent.claim()
    checkpoint = agent.save(claim, 1)
    agent.report(claim)
    importing.join()
    assert (answers[0].status_code, answers[0].json()["id"]) == (201, checkpoint)


def test_an_export_is_asked_for_and_downloaded_beside_the_event_loop(
    server: Server, agent: FakeAgent
) -> None:
    agent.submit()
    checkpoint = agent.save(agent.claim(), 1)
    path = f"/checkpoints/{checkpoint}"
    assert server.http.post(f"{path}/export", json={}).status_code == 202
    assert server.http.get(f"{path}/export", params={"wait_seconds": 0}).status_code == 202
    assert server.http.get(f"{path}/files/model.safetensors").content == b"weights"


def test_a_login_waits_for_nothing(server: Server) -> None:
    assert server.http.get("/session").status_code == 200
    assert server.http.post("/session", json={"token": "x"}).status_code == 409
    assert server.http.delete("/session").status_code == 204


def test_a_module_of_the_page_is_read_beside_the_event_loop(server: Server) -> None:
    assert server.http.get("/dashboard/main.js").status_code == 200


def test_a_log_and_the_servers_readiness_are_read_beside_the_event_loop(
    server: Server, agent: FakeAgent
) -> None:
    job = agent.submit()
    agent.log(agent.claim(), b"step 1")
    assert server.http.get(f"/jobs/{job['id']}/logs").json()["text"] == "step 1"
    for path in ("/readyz", "/healthz", "/version"):
        assert server.http.get(path).status_code == 200
