"""Which role may call which route: all routes, all roles, and nobody."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI

from api_tests.support.access import bearer, make_token
from api_tests.support.problems import problem_of
from api_tests.support.routes import operations
from api_tests.support.server_context import Clock, server_context
from api_tests.support.threaded_server import ThreadedServer
from service.api.route_roles import OPEN, ROLES, UnnamedRole, check_routes
from service.context import AppContext
from service.contract.access import Role
from service.domain.access import Caller
from service.settings import Settings
from service.store.engine import Database

SETTINGS_TOKEN = "of-the-settings"
NAMES: list[Role | None] = [*Role, None]


@pytest.fixture(scope="module")
def context(
    migrated_sqlite: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[AppContext]:
    folder = tmp_path_factory.mktemp("roles")
    shutil.copy(migrated_sqlite, folder / "trainyard.db")
    database = Database(f"sqlite:///{folder}/trainyard.db")
    settings = Settings(volume=folder, token=SETTINGS_TOKEN)
    yield server_context(database, folder, Clock(), settings)
    database.close()


@pytest.fixture(scope="module")
def server(context: AppContext) -> Iterator[ThreadedServer]:
    server = ThreadedServer(context)
    yield server
    server.stop()


def _status(server: ThreadedServer, method: str, path: str, secret: str | None) -> httpx.Response:
    headers = bearer(secret) if secret is not None else {}
    # A stream has no end: its head alone is read, and of a refusal all.
    with server.http.stream(method, path, headers=headers) as answer:
        if answer.status_code >= 400:
            answer.read()
        return answer


@pytest.mark.parametrize("role", NAMES)
def test_every_route_answers_those_roles_that_the_table_names_and_nobody_else(
    context: AppContext, server: ThreadedServer, app: FastAPI, role: Role | None
) -> None:
    secret = make_token(context, f"some-{role}", role).secret if role is not None else None
    walked = 0
    for operation in operations(app):
        route = f"{operation.method} {operation.template}"
        needed = ROLES[route]
        methods = ("GET", "HEAD") if operation.method == "GET" else (operation.method,)
        for method in methods:
            answer = _status(server, method, operation.path, secret)
            code = (
                answer.json()["code"]
                if answer.status_code in (401, 403) and method != "HEAD"
                else None
            )
            where = (method, operation.path, answer.status_code)
            walked += 1
            if needed is None:
                assert answer.status_code not in (401, 403), where
            elif role is None:
                assert answer.status_code == 401, where
            elif Caller("somebody", role).may(needed):
                assert answer.status_code not in (401, 403), where
            else:
                assert answer.status_code == 403, where
                assert code in (None, "role_required"), where
    assert walked > 80


def test_the_token_of_the_settings_may_call_every_route(
    server: ThreadedServer, app: FastAPI
) -> None:
    for operation in operations(app):
        answer = _status(server, operation.method, operation.path, SETTINGS_TOKEN)
        assert answer.status_code not in (401, 403), operation


@pytest.mark.parametrize(
    ("role", "may", "may_not"),
    [
        (Role.VIEWER, "GET /jobs", "POST /jobs"),
        (Role.VIEWER, "GET /metrics", "POST /jobs/{job_id}/cancel"),
        (Role.VIEWER, "GET /jobs/{job_id}/log.txt", "PATCH /checkpoints/{checkpoint_id}"),
        (Role.USER, "POST /jobs", "POST /workers/{worker_id}/drain"),
        (Role.USER, "DELETE /jobs/{job_id}", "POST /checkpoints/gc"),
        (Role.USER, "GET /stream", "POST /tokens"),
        (Role.ADMIN, "POST /tokens", "POST /agent/claims"),
        (Role.ADMIN, "POST /workers/{worker_id}/drain", "PUT /agent/workers/{worker_id}"),
        (Role.WORKER, "POST /agent/claims", "GET /jobs"),
        (Role.WORKER, "POST /agent/heartbeats", "POST /jobs"),
        (Role.WORKER, "PUT /agent/workers/{worker_id}/catalog", "GET /tokens"),
    ],
)
def test_the_table_gives_each_role_its_own_routes(role: Role, may: str, may_not: str) -> None:
    for route, is_allowed in ((may, True), (may_not, False)):
        needed = ROLES[route]
        assert needed is not None
        assert Caller("somebody", role).may(needed) is is_allowed, route


def test_a_route_that_no_role_is_named_for_keeps_the_server_from_starting() -> None:
    check_routes(ROLES)
    with pytest.raises(UnnamedRole, match="POST /new"):
        check_routes([*ROLES, "POST /new"])
    with pytest.raises(UnnamedRole, match="GET /stream"):
        check_routes(route for route in ROLES if route != "GET /stream")


def test_what_is_open_is_no_more_than_probes_the_pages_and_the_login() -> None:
    paths = {route.partition(" ")[2] for route in OPEN}
    pages = {"/", "/dashboard/{path:path}", "/guide", "/guide/{path:path}"}
    assert paths == {*pages, "/healthz", "/readyz", "/session"}


def test_a_refusal_names_the_role_that_it_needs(
    context: AppContext, server: ThreadedServer
) -> None:
    viewer = bearer(make_token(context, "ann", Role.VIEWER).secret)
    problem = problem_of(server.http.post("/jobs", json={}, headers=viewer), 403, "role_required")
    assert "ann has the role viewer" in problem["detail"]
    assert "the role user" in problem["detail"]


def test_the_document_names_the_role_of_each_operation(server: ThreadedServer) -> None:
    answer = server.http.get("/openapi.json", headers=bearer(SETTINGS_TOKEN))
    document = answer.json()
    assert document["security"] == [{"token": []}, {"session": []}]
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            role = ROLES[f"{method.upper()} {path}"]
            assert operation.get("x-role") == role
            assert operation.get("security") == ([] if role is None else None)
