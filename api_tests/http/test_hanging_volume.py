"""A volume whose calls do not return: the server goes on with all that needs no file."""

from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from api_tests.support.fake_agent import FakeAgent
from api_tests.support.server import DEADLINE_SECONDS, Server
from service.contract.checkpoints import attempt_path

CALLS = 60
"""More than the server has threads."""


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    server = Server(tmp_path, module="api_tests.support.hanging_server")
    yield server
    server.stop()


@contextmanager
def held_up(server: Server, path: str) -> Iterator[list[Future[httpx.Response]]]:
    """Calls that hang, and some that are refused since all turns are taken; ended by the block."""
    with ThreadPoolExecutor(CALLS) as threads:
        call: Callable[[], httpx.Response] = lambda: httpx.get(  # noqa: E731
            f"{server.url}{path}", timeout=DEADLINE_SECONDS
        )
        asked = [threads.submit(call) for _ in range(CALLS)]
        refused, _ = wait(asked, DEADLINE_SECONDS, FIRST_COMPLETED)
        answers = [each.result() for each in refused]
        assert {(a.status_code, a.json()["code"]) for a in answers} == {(503, "volume_busy")}
        yield asked
        assert wait(asked, DEADLINE_SECONDS).not_done == set()


def test_logs_that_hang_leave_the_server_threads_for_heartbeats(
    server: Server, agent: FakeAgent
) -> None:
    job = agent.submit()
    claim = agent.claim()
    log = server.volume / attempt_path(claim["job_id"], claim["attempt"]) / "log.txt"
    log.parent.mkdir(parents=True)
    log.write_text("step 1")
    path = f"/jobs/{job['id']}/logs"
    with held_up(server, path):
        assert agent.beat(claim)["directive"] == "continue"
        assert agent.http.get(f"/jobs/{job['id']}").json()["state"] == "running"
        (server.volume / "answers").touch()
    assert agent.http.get(path).json()["text"] == "step 1"


def test_downloads_that_hang_leave_the_server_threads_for_heartbeats(
    server: Server, agent: FakeAgent
) -> None:
    agent.submit()
    claim = agent.claim()
    checkpoint = agent.save(claim, 1)
    with held_up(server, f"/checkpoints/{checkpoint}/files/model.safetensors") as asked:
        assert agent.beat(claim)["directive"] == "continue"
        (server.volume / "answers").touch()
    answers = [each.result() for each in asked]
    assert {answer.status_code for answer in answers} == {200, 503}
    assert all(answer.content == b"weights" for answer in answers if answer.status_code == 200)
