"""The login of the page: a cookie in place of the token, and what may be done with it."""

from collections.abc import Iterator
from datetime import timedelta
from http.cookies import Morsel, SimpleCookie
from pathlib import Path
from typing import Any

import httpx
import pytest

from api_tests.support.problems import problem_of
from api_tests.support.server_context import Clock, server_context
from api_tests.support.threaded_server import ThreadedServer
from service.settings import Settings
from service.store.engine import Database

TOKEN = "correct-horse"
PAGE = {"X-Requested-With": "trainyard"}
SPEC = {
    "kind": "train",
    "recipe": "oneshot",
    "data": {"dataset": "digits"},
    "params": {"batch_size": 32},
}


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


def _log_in(server: ThreadedServer, token: str = TOKEN, **headers: str) -> httpx.Response:
    return server.http.post("/session", json={"token": token}, headers=headers)


def _cookie(answer: httpx.Response) -> Morsel[str]:
    (morsel,) = SimpleCookie(answer.headers["set-cookie"]).values()
    return morsel


def _sent(answer: httpx.Response) -> dict[str, str]:
    """The header by which a browser sends the cookie back; httpx sends none of another address."""
    morsel = _cookie(answer)
    return {"Cookie": f"other=1; {morsel.key}={morsel.value}"}


def _strangers(server: ThreadedServer) -> httpx.Client:
    return httpx.Client(base_url=server.url)


def test_a_token_is_sent_once_and_a_cookie_that_no_script_reads_stands_for_it(
    server: ThreadedServer, clock: Clock
) -> None:
    assert server.http.get("/session").json()["user"] is None
    assert server.http.get("/jobs").status_code == 401
    answer = _log_in(server)
    assert answer.status_code == 201
    assert TOKEN not in answer.headers["set-cookie"]
    morsel = _cookie(answer)
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
        "expires_at": f"{clock.now + week:%Y-%m-%dT%H:%M:%SZ}",
    }
    assert seen.headers["cache-control"] == "no-store"


def test_who_sends_the_token_itself_is_known_and_has_no_session(server: ThreadedServer) -> None:
    seen = server.http.get("/session", headers={"Authorization": f"Bearer {TOKEN}"}).json()
    assert (seen["user"], seen["expires_at"]) == ("admin", None)


def test_a_server_without_a_token_has_no_login(start: Any) -> None:
    server = start(token=None)
    assert server.http.get("/session").json()["needs_login"] is False
    problem_of(_log_in(server), 409, "no_token")
    assert server.http.delete("/session").status_code == 204


@pytest.mark.parametrize(
    ("origin", "is_secure"),
    [("https://yard.example", True), ("http://yard.example", False), (None, False)],
)
def test_a_cookie_of_a_page_on_https_is_sent_on_https_alone(
    start: Any, origin: str | None, is_secure: bool
) -> None:
    server = start(hosts="yard.example")
    answer = _log_in(server, **({"Origin": origin} if origin else {}))
    assert bool(_cookie(answer)["secure"]) is is_secure


@pytest.mark.parametrize("sent", ["", "/yard"], ids=["removed", "kept"])
def test_behind_a_prefix_the_cookie_is_of_the_prefix_alone(start: Any, sent: str) -> None:
    server = start(root_path="/yard")
    answer = server.http.post(f"{sent}/session", json={"token": TOKEN})
    assert _cookie(answer)["path"] == "/yard"
    assert server.http.get(f"{sent}/jobs", headers=_sent(answer)).status_code == 200
    ended = server.http.delete(f"{sent}/session", headers=_sent(answer) | PAGE)
    assert (_cookie(ended)["path"], _cookie(ended)["max-age"]) == ("/yard", "0")


def test_a_session_ends_with_its_time(server: ThreadedServer, clock: Clock) -> None:
    _log_in(server)
    clock.advance(timedelta(days=7, seconds=-1))
    assert server.http.get("/jobs").status_code == 200
    clock.advance(timedelta(seconds=1))
    problem_of(server.http.get("/jobs"), 401, "unauthorized")
    assert server.http.get("/session").json()["user"] is None


def test_a_session_that_is_ended_is_over_for_a_copy_of_its_cookie_too(
    server: ThreadedServer,
) -> None:
    copy, other = _sent(_log_in(server)), _sent(_log_in(server, **PAGE))
    assert server.http.delete("/session", headers=PAGE).status_code == 204
    assert not server.http.cookies
    with _strangers(server) as client:
        assert client.get("/jobs", headers=other).status_code == 401
        assert client.get("/jobs", headers=copy).status_code == 200


def test_a_stranger_does_not_get_the_name_of_the_cookie_by_which_to_test_guesses(
    server: ThreadedServer,
) -> None:
    with _strangers(server) as http:
        answer = http.delete("/session")
    assert answer.status_code == 204
    assert "set-cookie" not in answer.headers


def test_another_token_ends_all_sessions_and_the_same_one_none(
    start: Any, server: ThreadedServer
) -> None:
    cookie = _sent(_log_in(server))
    assert start().http.get("/jobs", headers=cookie).status_code == 200
    assert start(token="another").http.get("/jobs", headers=cookie).status_code == 401


def test_a_cookie_that_was_changed_is_none(server: ThreadedServer) -> None:
    morsel = _cookie(_log_in(server))
    session, expires, user, signature = morsel.value.split(".")
    later = str(int(expires) + 9)
    for value in (
        "",
        ".",
        signature,
        f"{session}.{later}.{user}.{signature}",
        f"{session}.{expires}.root.{signature}",
        f"{session}.{expires}.{user}.",
        f"{session}.{expires}.{user}.{signature}x",
        f"{session}.{expires}.{user}.{signature[:-1]}\xff",
    ):
        with _strangers(server) as client:
            headers = {"Cookie": f"{morsel.key}={value}".encode("latin-1")}
            assert client.get("/jobs", headers=headers).status_code == 401, value


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "http://127.0.0.1:1"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"},
    ],
)
def test_a_foreign_page_changes_and_reads_nothing_by_a_session_and_begins_none(
    server: ThreadedServer, headers: dict[str, str]
) -> None:
    problem_of(_log_in(server, **headers), 403, "foreign_origin")
    _log_in(server)
    job = server.http.post("/jobs", json=SPEC, headers=PAGE).json()
    for method, path in (
        ("POST", f"/jobs/{job['id']}/cancel"),
        ("DELETE", f"/jobs/{job['id']}"),
        ("DELETE", "/session"),
    ):
        for sent in (headers, headers | PAGE):
            answer = server.http.request(method, path, headers=sent)
            problem_of(answer, 403, "foreign_origin")
    if "Sec-Fetch-Mode" not in headers:
        problem_of(server.http.get("/jobs", headers=headers), 403, "foreign_origin")
    seen = server.http.get(f"/jobs/{job['id']}").json()
    assert seen["state"] == "queued"


def test_a_change_by_a_session_needs_the_header_that_no_form_can_send(
    server: ThreadedServer,
) -> None:
    _log_in(server)
    for own in ({}, {"Origin": server.url}, {"Sec-Fetch-Site": "same-origin"}):
        problem = problem_of(
            server.http.post("/jobs", json=SPEC, headers=own), 403, "no_page_header"
        )
        assert "X-Requested-With" in problem["detail"]
        assert server.http.post("/jobs", json=SPEC, headers=own | PAGE).status_code == 201


def test_the_browser_is_believed_where_a_proxy_has_put_in_another_host(
    server: ThreadedServer,
) -> None:
    _log_in(server)
    page = PAGE | {"Origin": "https://yard.example", "Sec-Fetch-Site": "same-origin"}
    assert server.http.post("/jobs", json=SPEC, headers=page).status_code == 201


def test_a_bearer_token_needs_no_header_and_no_origin(server: ThreadedServer) -> None:
    bearer = {"Authorization": f"Bearer {TOKEN}", "Origin": "https://tool.example"}
    assert server.http.post("/jobs", json=SPEC, headers=bearer).status_code == 201


def test_a_session_counts_though_a_proxy_asks_for_a_password_of_its_own(
    server: ThreadedServer,
) -> None:
    _log_in(server)
    assert server.http.get("/jobs", headers={"Authorization": "Basic YTpi"}).status_code == 200


def test_guesses_of_an_address_are_refused_until_their_time_has_passed(
    server: ThreadedServer, clock: Clock
) -> None:
    guesser, other = {"X-Forwarded-For": "10.0.0.9"}, {"X-Forwarded-For": "10.0.0.10"}
    for number in range(10):
        # The first is sent again and again, as by who does not see that it is wrong.
        for _ in range(1 if number else 3):
            refused = _log_in(server, f"guess-{number}", **guesser)
            assert "TRAINYARD_TOKEN" in problem_of(refused, 401, "wrong_token")["detail"]
        clock.advance(timedelta(seconds=1))
    for answer in (
        _log_in(server, **guesser),
        server.http.get("/jobs", headers=guesser | {"Authorization": f"Bearer {TOKEN}"}),
    ):
        problem_of(answer, 429, "too_many_tokens")
        assert answer.headers["retry-after"] == "51"
    bearer = guesser | {"Authorization": f"Bearer {TOKEN}"}
    assert server.http.get("/session", headers=bearer).json()["user"] is None
    assert _log_in(server, **other).status_code == 201
    clock.advance(timedelta(seconds=51))
    assert _log_in(server, **guesser, **PAGE).status_code == 201


def test_guesses_by_bearer_tokens_are_counted_and_lock_out_no_worker_of_the_address(
    server: ThreadedServer,
) -> None:
    def ask(token: str, address: str, path: str = "/jobs") -> int:
        headers = {"Authorization": f"Bearer {token}", "X-Forwarded-For": address}
        return server.http.get(path, headers=headers).status_code

    assert ask(TOKEN, "10.0.0.1") == 200
    for address in ("10.0.0.1", "10.0.0.2"):
        assert [ask(f"guess-{number}", address) for number in range(9)] == [401] * 9
        # An open path tells who is known, too.
        assert ask("guess-9", address, "/session") == 200
    assert ask(TOKEN, "10.0.0.1") == 200
    assert ask(TOKEN, "10.0.0.2") == 429
    assert ask("guess-9", "10.0.0.2") == 429
    # One guesser has 64 bits of IPv6 to himself.
    answers = [ask(f"guess-{number}", f"2001:db8::{number}") for number in range(11)]
    assert answers == [401] * 10 + [429]


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
