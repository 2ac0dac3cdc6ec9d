"""Tokens that are guessed: an address may try few, and its workers go on."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from api_tests.support.logins import PAGE, TOKEN, log_in
from api_tests.support.problems import problem_of
from api_tests.support.server_context import Clock, server_context
from api_tests.support.threaded_server import ThreadedServer
from service.settings import Settings
from service.store.engine import Database


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def server(sqlite: Database, tmp_path: Path, clock: Clock) -> Iterator[ThreadedServer]:
    settings = Settings(volume=tmp_path, token=TOKEN)
    server = ThreadedServer(server_context(sqlite, tmp_path, clock, settings))
    yield server
    server.stop()


def test_guesses_of_an_address_are_refused_until_their_time_has_passed(
    server: ThreadedServer, clock: Clock
) -> None:
    guesser, other = {"X-Forwarded-For": "10.0.0.9"}, {"X-Forwarded-For": "10.0.0.10"}
    for number in range(10):
        # The first is sent again and again, as by who does not see that it is wrong.
        for _ in range(1 if number else 3):
            refused = log_in(server, f"guess-{number}", **guesser)
            assert "TRAINYARD_TOKEN" in problem_of(refused, 401, "wrong_token")["detail"]
        clock.advance(timedelta(seconds=1))
    for answer in (
        log_in(server, **guesser),
        server.http.get("/jobs", headers=guesser | {"Authorization": f"Bearer {TOKEN}"}),
    ):
        problem_of(answer, 429, "too_many_tokens")
        assert answer.headers["retry-after"] == "51"
    bearer = guesser | {"Authorization": f"Bearer {TOKEN}"}
    assert server.http.get("/session", headers=bearer).json()["user"] is None
    assert log_in(server, **other).status_code == 201
    clock.advance(timedelta(seconds=51))
    assert log_in(server, **guesser, **PAGE).status_code == 201


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
