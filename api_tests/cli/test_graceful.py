"""`trainyard serve` and `trainyard worker`: they end when asked, and go on when started again."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from api_tests.support.trainings import ENDLESS
from service.client import TrainyardClient

pytestmark = pytest.mark.xdist_group("whole machine")

SERVER_SECONDS = 6.0
WORKER_SECONDS = 30.0

Start = Callable[[str], "subprocess.Popen[bytes]"]


@pytest.fixture
def port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def start(tmp_path: Path, port: int) -> Iterator[Start]:
    places = {"VOLUME": "volume", "DATA_ROOT": "data", "IMPORT_ROOT": "imports"}
    own = {f"TRAINYARD_{name}": str(tmp_path / folder) for name, folder in places.items()}
    own |= {"TRAINYARD_PORT": str(port), "TRAINYARD_SERVER": f"http://127.0.0.1:{port}"}
    own |= {"TRAINYARD_DATABASE_URL": f"sqlite:///{tmp_path}/trainyard.db"}
    processes: list[subprocess.Popen[bytes]] = []

    def started(command: str) -> "subprocess.Popen[bytes]":
        with (tmp_path / f"{command}.log").open("ab") as log:
            processes.append(
                subprocess.Popen(
                    [sys.executable, "-m", "service.cli", command],
                    env=os.environ | {"OMP_NUM_THREADS": "1"} | own,
                    stdout=log,
                    stderr=log,
                )
            )
        return processes[-1]

    yield started
    for process in reversed(processes):
        process.kill()
        process.wait()


def _ended(process: "subprocess.Popen[bytes]", within_seconds: float) -> None:
    below = psutil.Process(process.pid).children(recursive=True)
    began = time.monotonic()
    process.send_signal(signal.SIGTERM)
    assert process.wait(within_seconds) == 0
    assert time.monotonic() - began < within_seconds
    assert not any(each.is_running() for each in below)


def test_a_server_and_a_worker_end_when_asked_and_the_training_goes_on_after_a_start(
    start: Start, port: int, wait_for: Any
) -> None:
    server, worker = start("serve"), start("worker")
    with TrainyardClient(f"http://127.0.0.1:{port}") as client:
        wait_for(client.ready)
        job_id = client.submit(ENDLESS).id
        wait_for(lambda: client.job(job_id).progress.step >= 2)
        _ended(worker, WORKER_SECONDS)
        job = client.job(job_id)
        assert (job.state, job.attempt) == ("queued", 1)
        saved = client.latest_checkpoint(job=job_id)
        _ended(server, SERVER_SECONDS)

        start("serve")
        start("worker")
        wait_for(client.ready)
        wait_for(lambda: client.job(job_id).progress.step > saved.step)
        assert client.job(job_id).attempt == 2
