"""Access tokens: made, shown once, listed, revoked, expired; on one server and on two."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from api_tests.support.access import bearer, make_token
from api_tests.support.problems import problem_of
from api_tests.support.server import wait_for
from api_tests.support.server_context import Clock, server_context
from api_tests.support.threaded_server import ThreadedServer
from service.background.credentials import credentials_loop
from service.context import AppContext
from service.contract.access import Role
from service.settings import Settings
from service.store.engine import Database

Start = Callable[[], tuple[AppContext, ThreadedServer]]


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def server(sqlite: Database, tmp_path: Path, clock: Clock) -> Iterator[ThreadedServer]:
    server = ThreadedServer(server_context(sqlite, tmp_path, clock, Settings(volume=tmp_path)))
    yield server
    server.stop()


@pytest.fixture
def start(database: Database, tmp_path: Path, clock: Clock) -> Iterator[Start]:
    """Starts a server over one database, of each kind; each is stopped at the end."""
    servers: list[ThreadedServer] = []

    def one() -> tuple[AppContext, ThreadedServer]:
        context = server_context(database, tmp_path, clock, Settings(volume=tmp_path))
        servers.append(ThreadedServer(context))
        return context, servers[-1]

    yield one
    for each in servers:
        each.stop()


def _create(server: ThreadedServer, secret: str | None = None, **body: Any) -> Any:
    headers = bearer(secret) if secret is not None else {}
    answer = server.http.post("/tokens", json=body, headers=headers)
    assert answer.status_code == 201, answer.text
    return answer.json()


def test_the_first_token_closes_the_server_to_everybody_without_one(start: Start) -> None:
    _, server = start()
    assert server.http.get("/jobs").status_code == 200
    admin = _create(server, name="ann", role="admin")
    assert admin["secret"].startswith("ty_")
    problem_of(server.http.get("/jobs"), 401, "unauthorized")
    problem_of(server.http.post("/tokens", json={}), 401, "unauthorized")
    assert server.http.get("/jobs", headers=bearer(admin["secret"])).status_code == 200
    assert server.http.get("/healthz").status_code == 200


def test_a_secret_is_shown_once_and_kept_nowhere(start: Start, database: Database) -> None:
    _, server = start()
    admin = _create(server, name="ann", role="admin")
    (listed,) = server.http.get("/tokens", headers=bearer(admin["secret"])).json()["data"]
    assert listed == {name: admin[name] for name in listed}
    assert "secret" not in listed
    with database.read() as tx:
        row = tx.exec_driver_sql("SELECT * FROM access_tokens").one()
    assert admin["secret"] not in str(row)
    assert admin["secret"].removeprefix("ty_") not in str(row)


def test_a_revoked_token_and_its_session_are_refused_at_once(start: Start) -> None:
    _, server = start()
    admin = bearer(_create(server, name="ann", role="admin")["secret"])
    bob = server.http.post("/tokens", json={"name": "bob", "role": "user"}, headers=admin).json()
    login = server.http.post("/session", json={"token": bob["secret"]})
    assert (login.status_code, login.json()["user"], login.json()["role"]) == (201, "bob", "user")
    assert server.http.get("/jobs").status_code == 200
    for _ in range(2):
        revoked = server.http.delete(f"/tokens/{bob['id']}", headers=admin)
        assert revoked.status_code == 204
    assert server.http.get("/jobs").status_code == 401
    assert server.http.get("/jobs", headers=bearer(bob["secret"])).status_code == 401
    problem_of(server.http.delete("/tokens/tok_none", headers=admin), 404, "no_such_token")
    ended = server.http.get("/tokens?ended=true", headers=admin).json()["data"]
    assert [each["id"] for each in ended] == [bob["id"]]
    assert ended[0]["revoked_at"] is not None


def test_another_server_knows_a_new_token_at_once_and_a_revoked_one_within_a_turn(
    start: Start,
) -> None:
    (_, first), (context, second) = start(), start()
    assert second.http.get("/jobs").status_code == 200
    admin = bearer(_create(first, name="ann", role="admin")["secret"])
    turn = credentials_loop(context)
    turn.start()
    try:
        wait_for(lambda: second.http.get("/jobs").status_code == 401, "the next turn")
        bob = first.http.post("/tokens", json={"name": "b", "role": "user"}, headers=admin).json()
        assert second.http.get("/jobs", headers=bearer(bob["secret"])).status_code == 200
        login = first.http.post("/session", json={"token": bob["secret"]})
        cookie = {"Cookie": "; ".join(f"{k}={v}" for k, v in login.cookies.items())}
        assert second.http.get("/session", headers=cookie).json()["user"] == "b"
        first.http.delete(f"/tokens/{bob['id']}", headers=admin)
        revoked = bearer(bob["secret"])
        wait_for(lambda: second.http.get("/jobs", headers=revoked).status_code == 401, "a turn")
        assert second.http.get("/jobs", headers=cookie).status_code == 401
    finally:
        turn.stop()
        turn.join(5)


def test_a_token_and_its_session_end_when_it_expires(start: Start, clock: Clock) -> None:
    context, server = start()
    make_token(context, "ann", Role.ADMIN)
    secret = make_token(
        context, "bob", Role.VIEWER, expires_at=clock.now + timedelta(hours=1)
    ).secret
    assert server.http.post("/session", json={"token": secret}).status_code == 201
    clock.advance(timedelta(minutes=59))
    assert server.http.get("/jobs").status_code == 200
    assert server.http.get("/jobs", headers=bearer(secret)).status_code == 200
    clock.advance(timedelta(minutes=1))
    assert server.http.get("/jobs").status_code == 401
    assert server.http.get("/jobs", headers=bearer(secret)).status_code == 401
    # Its name is free again.
    make_token(context, "bob", Role.VIEWER)


REFUSED: list[tuple[dict[str, Any], int, str, str | None]] = [
    ({"name": "ann", "role": "user"}, 409, "name_taken", None),
    ({"name": "admin", "role": "user"}, 422, "reserved_name", "/name"),
    ({"name": "", "role": "user"}, 422, "invalid", "/name"),
    ({"name": "a b", "role": "user"}, 422, "invalid", "/name"),
    ({"name": "bob", "role": "root"}, 422, "invalid", "/role"),
    ({"name": "bob"}, 422, "invalid", "/role"),
    ({"name": "bob", "role": "user", "x": 1}, 422, "invalid", "/x"),
    (
        {"name": "bob", "role": "user", "expires_at": "2025-01-01T00:00:00Z"},
        422,
        "expired",
        "/expires_at",
    ),
]


def test_a_token_that_cannot_be_made_is_refused_by_what_is_wrong(server: ThreadedServer) -> None:
    admin = bearer(_create(server, name="ann", role="admin")["secret"])
    for body, status, code, pointer in REFUSED:
        problem = problem_of(server.http.post("/tokens", json=body, headers=admin), status, code)
        if pointer is not None:
            assert [each["pointer"] for each in problem["errors"]] == [pointer]


def test_who_is_no_admin_sees_and_revokes_own_tokens_alone(start: Start) -> None:
    context, server = start()
    ann = make_token(context, "ann", Role.ADMIN)
    bob = make_token(context, "bob", Role.USER)
    listed = server.http.get("/tokens", headers=bearer(bob.secret)).json()["data"]
    assert [each["name"] for each in listed] == ["bob"]
    refused = server.http.delete(f"/tokens/{ann.id}", headers=bearer(bob.secret))
    problem_of(refused, 403, "not_own_token")
    own = server.http.delete(f"/tokens/{bob.id}", headers=bearer(bob.secret))
    assert own.status_code == 204
    listed = server.http.get("/tokens", headers=bearer(ann.secret)).json()["data"]
    assert [each["name"] for each in listed] == ["ann"]


def test_the_last_use_of_a_token_is_stored_seldom(start: Start, clock: Clock) -> None:
    context, server = start()
    ann = make_token(context, "ann", Role.ADMIN)

    def last_use() -> str | None:
        context.credentials.flush_use(clock.now)
        data = server.http.get("/tokens", headers=bearer(ann.secret)).json()["data"]
        return str(data[0]["last_used_at"])

    assert last_use() == "None"
    first = f"{clock.now:%Y-%m-%dT%H:%M:%SZ}"
    assert last_use() == first
    clock.advance(timedelta(seconds=59))
    assert [last_use(), last_use()] == [first, first]
    clock.advance(timedelta(seconds=1))
    assert last_use() == first
    assert last_use() == f"{clock.now:%Y-%m-%dT%H:%M:%SZ}"


def test_a_workers_token_begins_no_session(start: Start) -> None:
    context, server = start()
    secret = make_token(context, "gpu-7", Role.WORKER).secret
    problem_of(server.http.post("/session", json={"token": secret}), 403, "role_required")


def test_a_token_for_workers_in_the_settings_asks_nobody_else_for_one(
    sqlite: Database, tmp_path: Path, clock: Clock
) -> None:
    settings = Settings(volume=tmp_path, worker_token="of-workers")
    context = server_context(sqlite, tmp_path, clock, settings)
    server = ThreadedServer(context)
    try:
        assert server.http.get("/jobs").status_code == 200
        make_token(context, "ann", Role.ADMIN)
        assert server.http.get("/jobs").status_code == 401
        claim = {"worker_id": "wrk_1", "request_id": "r", "free_slots": 1, "wait_seconds": 0}
        headers = bearer("of-workers")
        answer = server.http.post("/agent/claims", json=claim, headers=headers)
        problem_of(answer, 404, "unknown_worker")
        problem_of(server.http.get("/jobs", headers=headers), 403, "role_required")
    finally:
        server.stop()
