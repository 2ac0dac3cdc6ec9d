"""Polls of one job: answered from its row alone while it runs, and always as it is now."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from api_tests.support.fake_agent import FakeAgent
from api_tests.support.problems import problem_of
from api_tests.support.server import Server


@pytest.fixture
def poll(server_on_each_database: Server) -> Iterator["Poll"]:
    with FakeAgent(server_on_each_database) as agent:
        yield Poll(agent)


class Poll:
    """A job that runs, and the answers of the server when it is polled."""

    def __init__(self, agent: FakeAgent) -> None:
        self.http, self.agent = agent.http, agent
        self.path = f"/jobs/{agent.submit()['id']}"
        self.claim = agent.claim()

    def __call__(self, etag: str | None = None, method: str = "GET") -> httpx.Response:
        headers = {"If-None-Match": etag} if etag is not None else {}
        return self.http.request(method, self.path, headers=headers)

    def progress(self, step: int) -> None:
        body = {"phase": "train", "step": step, "total_steps": 9, "metrics": {"loss": 1 / step}}
        self.agent.beat(self.claim, ("progress", body))


def test_each_change_of_a_running_job_is_seen_by_the_next_poll(poll: Poll) -> None:
    for step in (1, 2, 3):
        poll.progress(step)
        changed = poll()
        assert (changed.status_code, changed.json()["progress"]["step"]) == (200, step)
        assert poll(changed.headers["etag"]).status_code == 304
        assert poll().content == changed.content
    poll.agent.report(poll.claim)
    assert poll(changed.headers["etag"]).json()["state"] == "succeeded"


def test_a_poll_of_a_running_job_has_what_its_route_has(poll: Poll) -> None:
    poll.progress(1)
    polled, listed, head = poll(), poll.http.get("/jobs"), poll(method="HEAD")
    assert polled.json() in listed.json()["data"]
    assert (head.status_code, head.content) == (200, b"")
    for name in ("etag", "content-length", "content-type", "cache-control"):
        assert head.headers[name] == polled.headers[name]
    assert poll(polled.headers["etag"], method="HEAD").status_code == 304


@pytest.mark.parametrize("form", ['W/{}, "x"', '"x",{}', "*"])
def test_an_etag_is_read_in_every_form_of_the_header(poll: Poll, form: str) -> None:
    etag = poll().headers["etag"]
    unchanged = poll(form.format(etag))
    assert (unchanged.status_code, unchanged.content) == (304, b"")
    assert unchanged.headers["etag"] == etag
    assert unchanged.headers["cache-control"] == "no-cache"
    assert "content-type" not in unchanged.headers


def test_a_job_with_text_that_is_no_utf8_is_shown_while_it_runs_and_when_it_has_ended(
    tmp_path: Path,
) -> None:
    # As an older version could store it.
    server = Server(tmp_path)
    poll = Poll(FakeAgent(server))
    try:
        with sqlite3.connect(tmp_path / "trainyard.db") as database:
            database.execute("UPDATE jobs SET labels = ?", (r'{"team": "caf\udce9"}',))
        database.close()
        assert r"caf\udce9" in poll().text
        poll.agent.report(poll.claim)
        ended = poll()
        assert (ended.status_code, ended.json()["state"]) == (200, "succeeded")
        assert r"caf\udce9" in ended.text
    finally:
        poll.http.close()
        server.stop()


def test_a_poll_has_the_id_of_its_request_and_refuses_what_its_route_refuses(poll: Poll) -> None:
    answer = poll.http.get(poll.path, headers={"X-Request-ID": "mine-1"})
    assert answer.headers["x-request-id"] == "mine-1"
    problem_of(poll.http.get(f"{poll.path}?a=b"), 422, "invalid")
    problem_of(poll.http.get(poll.path, headers={"Host": "evil.example.com"}), 403, "foreign_host")
    body = poll.http.request("GET", poll.path, content=b"{}")
    problem_of(body, 415, "not_json")
