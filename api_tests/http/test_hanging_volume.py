"""A volume whose calls do not return: the server goes on with all that needs no file."""

import os
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from pathlib import Path

import httpx
import pytest

from api_tests.http.fake_agent import FakeAgent
from api_tests.http.server import DEADLINE_SECONDS, Server
from service.contract.checkpoints import attempt_path

READERS = 60
"""More than the server has threads."""


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    server = Server(tmp_path)
    yield server
    server.stop()


def test_a_volume_that_hangs_leaves_the_server_threads_for_heartbeats(
    server: Server, agent: FakeAgent
) -> None:
    job = agent.submit()
    claim = agent.claim()
    log = server.volume / attempt_path(claim["job_id"], claim["attempt"]) / "log.txt"
    log.parent.mkdir(parents=True)
    # Nobody writes to it: who opens it waits, as on a volume that does not answer.
    os.mkfifo(log)

    def read() -> httpx.Response:
        return httpx.get(f"{server.url}/jobs/{job['id']}/logs", timeout=DEADLINE_SECONDS)

    with ThreadPoolExecutor(READERS) as readers:
        asked = [readers.submit(read) for _ in range(READERS)]
        refused, _ = wait(asked, DEADLINE_SECONDS, FIRST_COMPLETED)
        answers = [each.result() for each in refused]
        assert {(a.status_code, a.json()["code"]) for a in answers} == {(503, "volume_busy")}
        assert agent.beat(claim)["directive"] == "continue"
        assert agent.http.get(f"/jobs/{job['id']}").json()["state"] == "running"
        writer = os.open(log, os.O_RDWR)
        log.unlink()
        log.write_text("step 1")
        wait(asked, DEADLINE_SECONDS)
        os.close(writer)
    assert read().json()["text"] == "step 1"
