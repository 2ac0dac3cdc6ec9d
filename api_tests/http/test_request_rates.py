"""How many requests, and how many open ones, a token or an address may have."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest

from api_tests.support.logins import TOKEN
from api_tests.support.problems import problem_of
from api_tests.support.server import Server, wait_for
from api_tests.support.server_context import Clock, server_context
from api_tests.support.threaded_server import ThreadedServer
from service.api.request_rate import BURST_SECONDS, RequestRate
from service.settings import Settings
from service.store.engine import Database

WORKER_TOKEN = "a-token-of-workers-alone"
ADMIN, WORKER = ({"Authorization": f"Bearer {token}"} for token in (TOKEN, WORKER_TOKEN))
CLAIM = {"worker_id": "wrk_1", "request_id": "req_1", "free_gpus": 0, "wait_seconds": 20}
Start = Callable[..., ThreadedServer]


@pytest.fixture
def start(sqlite: Database, tmp_path: Path) -> Iterator[Start]:
    started: list[ThreadedServer] = []

    def server(**settings: Any) -> ThreadedServer:
        context = server_context(sqlite, tmp_path, Clock(), Settings(volume=tmp_path, **settings))
        started.append(ThreadedServer(context))
        return started[-1]

    yield server
    for each in started:
        each.stop()


def test_a_rate_lets_a_burst_through_and_then_its_share() -> None:
    rate = RequestRate(per_minute=60)
    burst = [rate.seconds_left("one", 0.0) for _ in range(int(BURST_SECONDS) + 2)]
    assert burst == [None] * int(BURST_SECONDS) + [1, 1]
    assert rate.seconds_left("another", 0.0) is None
    assert [rate.seconds_left("one", 3.0) for _ in range(4)] == [None, None, None, 1]


def test_a_rate_remembers_few_callers_and_forgets_the_silent_first() -> None:
    rate = RequestRate(per_minute=60)
    for _ in range(int(BURST_SECONDS)):
        rate.seconds_left("busy", 0.0)
    for number in range(5000):
        rate.seconds_left(number, 5.0 if number < 4000 else 7.0)
    assert rate.seconds_left("busy", 0.5) is not None
    assert len(rate._even_at) <= 4096


def test_a_stranger_of_many_addresses_does_not_make_a_busy_caller_forgotten() -> None:
    rate = RequestRate(per_minute=60)
    for _ in range(int(BURST_SECONDS)):
        rate.seconds_left("busy", 0.0)
    for number in range(10_000):
        rate.seconds_left(number, 0.0)
    assert rate.seconds_left("busy", 0.0) is not None
    assert len(rate._even_at) <= 4096


def test_a_token_that_asks_too_fast_waits_and_others_go_on(start: Start) -> None:
    server = start(token=TOKEN, worker_token=WORKER_TOKEN, requests_per_minute=60)
    answers = [server.http.get("/workers", headers=ADMIN) for _ in range(12)]
    assert {each.status_code for each in answers[:10]} == {200}
    problem = problem_of(answers[-1], 429, "too_many_requests")
    assert "TRAINYARD_REQUESTS_PER_MINUTE" in problem["detail"]
    assert 1 <= int(answers[-1].headers["retry-after"]) <= 2
    beat = {"worker_id": "wrk_1", "attempts": []}
    assert server.http.post("/agent/heartbeats", json=beat, headers=WORKER).status_code != 429


def test_who_sends_no_token_is_counted_by_address_and_is_in_no_workers_way(start: Start) -> None:
    server = start(token=TOKEN, requests_per_minute=60)
    strange = {"X-Forwarded-For": "10.0.0.9"}
    statuses = [server.http.get("/jobs", headers=strange).status_code for _ in range(14)]
    assert statuses[:10] == [401] * 10
    assert statuses[-1] == 429
    assert server.http.get("/jobs", headers={"X-Forwarded-For": "10.0.0.10"}).status_code == 401
    assert server.http.get("/jobs", headers=strange | ADMIN).status_code == 200


@pytest.mark.parametrize("settings", [{}, {"token": TOKEN, "requests_per_minute": 0}])
def test_a_server_without_tokens_or_with_no_limit_answers_everything(
    start: Start, settings: dict[str, Any]
) -> None:
    server = start(**{"requests_per_minute": 60} | settings)
    headers = ADMIN if settings else {}
    answers = [server.http.get("/workers", headers=headers) for _ in range(40)]
    assert {each.status_code for each in answers} == {200}


def test_a_token_has_so_many_streams_and_gets_a_place_back_when_one_ends(start: Start) -> None:
    server = start(token=TOKEN, worker_token=WORKER_TOKEN, open_requests=2)
    with ExitStack() as streams:
        for _ in range(2):
            streams.enter_context(_stream(server, ADMIN))
        refused = server.http.get("/stream", headers=ADMIN)
        assert (
            "TRAINYARD_OPEN_REQUESTS"
            in problem_of(refused, 429, "too_many_open_requests")["detail"]
        )
        assert "retry-after" in refused.headers
        assert server.http.get("/jobs", headers=ADMIN).status_code == 200
    wait_for(lambda: _may_stream(server), "a place")


@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", "/checkpoints/import"), ("GET", "/checkpoints/ckpt_1/export")],
)
def test_a_call_that_waits_for_the_end_of_a_job_is_open_too(
    start: Start, method: str, path: str
) -> None:
    server = start(token=TOKEN, open_requests=1)
    with _stream(server, ADMIN):
        body = {"file": "a.pth"} if method == "POST" else None
        query = {"wait_seconds": 0}
        answer = server.http.request(method, path, json=body, params=query, headers=ADMIN)
        problem_of(answer, 429, "too_many_open_requests")


def test_polls_that_wait_for_a_job_are_open_too_and_another_tokens_are_not_counted(
    start: Start,
) -> None:
    server = start(token=TOKEN, worker_token=WORKER_TOKEN, open_requests=1)
    with _stream(server, ADMIN):
        claim = server.http.post("/agent/claims", json=CLAIM, headers=ADMIN)
        problem_of(claim, 429, "too_many_open_requests")
        soon = CLAIM | {"wait_seconds": 0}
        assert server.http.post("/agent/claims", json=soon, headers=WORKER).status_code != 429


@pytest.mark.parametrize(("trusted", "shown"), [("127.0.0.0/8", "10.1.2.3"), ("none", "127.0.0.1")])
def test_a_proxy_is_believed_if_it_is_trusted(tmp_path: Path, trusted: str, shown: str) -> None:
    server = Server(tmp_path, trusted_proxies=trusted, access_log="true")
    server.http.get("/jobs", headers={"X-Forwarded-For": "10.1.2.3"}).raise_for_status()
    server.stop()
    log = (tmp_path / "server.log").read_text()
    assert f'"client": "{shown}"' in next(line for line in log.splitlines() if "/jobs" in line)


def _stream(server: ThreadedServer, headers: dict[str, str]) -> Any:
    return httpx.stream("GET", f"{server.url}/stream", headers=headers, timeout=30)


def _may_stream(server: ThreadedServer) -> bool:
    with _stream(server, ADMIN) as answer:
        return bool(answer.status_code == 200)
