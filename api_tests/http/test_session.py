"""The login of the page: a cookie in place of the token."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from api_tests.support.logins import PAGE, TOKEN, cookie_header, cookie_of, log_in, stranger
from api_tests.support.problems import problem_of
from api_tests.support.server_context import Clock, server_context
from api_tests.support.threaded_server import ThreadedServer
from service.settings import Settings
from service.store.engine import Database


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def start(sqlite: Database, tmp_path: Path, clock: Clock) -> Iterator[Any]:
    """Starts a server over the same database; each is stopped at the end."""
    started: list[ThreadedServer] = []

    def server(token: str | None = TOKEN, root_path: str = "", hosts: str = "") -> ThreadedServer:
        settings = Settings(volume=tmp_path, token=token, root_path=root_path, allowed_hosts=hosts)
        started.append(ThreadedServer(server_context(sqlite, tmp_path, clock, settings)))
        return started[-1]

    yield server
    for each in started:
        each.stop()


@pytest.fixture
def server(start: Any) -> ThreadedServer:
    server: ThreadedServer = start()
    return server


def test_a_token_is_sent_once_and_a_cookie_that_no_script_reads_stands_for_it(
    server: ThreadedServer, clock: Clock
) -> None:
    assert server.http.get("/session").json()["user"] is None
    assert server.http.get("/jobs").status_code == 401
    answer = log_in(server)
    assert answer.status_code == 201
    assert TOKEN not in answer.headers["set-cookie"]
    morsel = cookie_of(answer)
    attributes = {name: morsel[name] for name in ("httponly", "samesite", "path", "max-age")}
    week = timedelta(days=7)
    assert attributes == {
        "httponly": True,
        "samesite": "strict",
        "path": "/",
        "max-age": str(int(week.total_seconds())),
    }
    assert server.http.get("/jobs").status_code == 200
    seen = server.http.get("/session")
    assert seen.json() == answer.json()
    assert seen.json() == {
        "object": "session",
        "needs_login": True,
        "user": "admin",
        "role": "admin",
        "expires_at": f"{clock.now + week:%Y-%m-%dT%H:%M:%SZ}",
    }
    assert seen.headers["cache-control"] == "no-store"


def test_who_sends_the_token_itself_is_known_and_has_no_session(server: ThreadedServer) -> None:
    seen = server.http.get("/session", headers={"Authorization": f"Bearer {TOKEN}"}).json()
    assert (seen["user"], seen["expires_at"]) == ("admin", None)


def test_a_server_without_a_token_has_no_login(start: Any) -> None:
    server = start(token=None)
    assert server.http.get("/session").json()["needs_login"] is False
    problem_of(log_in(server), 409, "no_token")
    assert server.http.delete("/session").status_code == 204


@pytest.mark.parametrize(
    ("origin", "is_secure"),
    [("https://yard.example", True), ("http://yard.example", False), (None, False)],
)
def test_a_cookie_of_a_page_on_https_is_sent_on_https_alone(
    start: Any, origin: str | None, is_secure: bool
) -> None:
    server = start(hosts="yard.example")
    answer = log_in(server, **({"Origin": origin} if origin else {}))
    assert bool(cookie_of(answer)["secure"]) is is_secure


@pytest.mark.parametrize("sent", ["", "/yard"], ids=["removed", "kept"])
def test_behind_a_prefix_the_cookie_is_of_the_prefix_alone(start: Any, sent: str) -> None:
    server = start(root_path="/yard")
    answer = server.http.post(f"{sent}/session", json={"token": TOKEN})
    assert cookie_of(answer)["path"] == "/yard"
    assert server.http.get(f"{sent}/jobs", headers=cookie_header(answer)).status_code == 200
    ended = server.http.delete(f"{sent}/session", headers=cookie_header(answer) | PAGE)
    assert (cookie_of(ended)["path"], cookie_of(ended)["max-age"]) == ("/yard", "0")


def test_a_session_ends_with_its_time(server: ThreadedServer, clock: Clock) -> None:
    log_in(server)
    clock.advance(timedelta(days=7, seconds=-1))
    assert server.http.get("/jobs").status_code == 200
    clock.advance(timedelta(seconds=1))
    problem_of(server.http.get("/jobs"), 401, "unauthorized")
    assert server.http.get("/session").json()["user"] is None


def test_a_session_that_is_ended_is_over_for_a_copy_of_its_cookie_too(
    server: ThreadedServer,
) -> None:
    copy, other = cookie_header(log_in(server)), cookie_header(log_in(server, **PAGE))
    assert server.http.delete("/session", headers=PAGE).status_code == 204
    assert not server.http.cookies
    with stranger(server) as client:
        assert client.get("/jobs", headers=other).status_code == 401
        assert client.get("/jobs", headers=copy).status_code == 200


def test_a_stranger_does_not_get_the_name_of_the_cookie_by_which_to_test_guesses(
    server: ThreadedServer,
) -> None:
    with stranger(server) as http:
        answer = http.delete("/session")
    assert answer.status_code == 204
    assert "set-cookie" not in answer.headers


def test_another_token_ends_all_sessions_and_the_same_one_none(
    start: Any, server: ThreadedServer
) -> None:
    cookie = cookie_header(log_in(server))
    assert start().http.get("/jobs", headers=cookie).status_code == 200
    assert start(token="another").http.get("/jobs", headers=cookie).status_code == 401


def test_a_cookie_that_was_changed_is_none(server: ThreadedServer) -> None:
    morsel = cookie_of(log_in(server))
    for value in ("", "x", morsel.value[:-1], f"{morsel.value}x", f"{morsel.value}\xff", TOKEN):
        with stranger(server) as client:
            headers = {"Cookie": f"{morsel.key}={value}".encode("latin-1")}
            assert client.get("/jobs", headers=headers).status_code == 401, value


@pytest.mark.parametrize(
    "body", [{}, {"token": ""}, {"token": "x" * 1001}, {"token": 1}, {"token": TOKEN, "as": "x"}]
)
def test_a_login_of_another_form_is_refused_without_the_token(
    server: ThreadedServer, body: dict[str, Any]
) -> None:
    answer = server.http.post("/session", json=body)
    problem_of(answer, 422, "invalid")
    assert TOKEN not in answer.text
    assert "xxx" not in answer.text
