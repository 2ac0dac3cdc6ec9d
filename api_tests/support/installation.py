"""A real control plane and real workers, each a process that a test may kill."""

import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import httpx
import psutil

from api_tests.support.polling import pause
from api_tests.support.server import Server, environment
from service.client import TrainyardClient
from service.contract.jobs import Job
from service.contract.process_title import process_title

T = TypeVar("T")
PATIENCE_SECONDS = 90.0
PARAMS: dict[str, Any] = {
    "total_iters": 40,
    "batch_size": 16,
    "image_size": 32,
    "learning_rate": 0.05,
    "val_interval": 20,
    "save_interval": 5,
    "display_interval": 5,
    "bn_recalibration_iters": 4,
}
TRAIN: dict[str, Any] = {
    "kind": "train",
    "recipe": "oneshot",
    "data": {"dataset": "digits"},
    "params": PARAMS,
}
SHORT = {"total_iters": 1, "batch_size": 2, "bn_recalibration_iters": 0}
# A dead worker is noticed in seconds, a crash is tried again at once; a server that is killed has
# the time to start again on a busy machine before its workers give up.
QUICK = {
    "HEARTBEAT_SECONDS": "0.5",
    "UNREACHABLE_SECONDS": "2",
    "SELF_END_SECONDS": "10",
    "KILL_GRACE_SECONDS": "2",
    "REASSIGN_SECONDS": "13",
    "RETRY_BACKOFF_SECONDS": "0.1",
}
PATIENT = {"SELF_END_SECONDS": "60", "REASSIGN_SECONDS": "70"}
"""For what must go on without a control plane, however long that takes to start again."""


class Installation:
    """One server on a port of its own over one folder, and the workers a test starts."""

    def __init__(self, folder: Path, server: str = "service.main", **settings: str) -> None:
        self.folder, self.volume = folder, folder / "volume"
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port: int = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.client = TrainyardClient(self.url)
        self._settings = {"PORT": str(self.port), "SERVER": self.url, **QUICK, **settings}
        self._server = Server(folder, module=server, **self._settings)
        self._workers: list[subprocess.Popen[bytes]] = []

    @property
    def server(self) -> "subprocess.Popen[bytes]":
        """The process of the control plane."""
        return self._server.process

    @property
    def http(self) -> httpx.Client:
        """Plain HTTP to the control plane."""
        return self._server.http

    def start_server(self) -> None:
        """Start the control plane again, and wait until it is ready."""
        self._server.http.close()
        self._server.start()

    def start_worker(self, module: str = "workers", **settings: str) -> "subprocess.Popen[bytes]":
        """Start a worker."""
        own = environment(self.folder, **{**self._settings, **settings})
        with (self.folder / "worker.log").open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", module],
                env=own | {"OMP_NUM_THREADS": "1"},
                stderr=log,
                stdin=subprocess.DEVNULL,
            )
        self._workers.append(process)
        return process

    def close(self) -> None:
        """End everything, workers first."""
        self.client.close()
        self._server.http.close()
        processes = [*self._workers, self.server]
        for process in processes:
            if process.poll() is None:
                process.terminate()
        for process in processes:
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def running_past(self, job_id: str, step: int) -> Job:
        """Wait until a running job has recorded a checkpoint at `step` or later."""

        def passed() -> Job | None:
            job = self.client.job(job_id)
            assert job.finished_at is None, f"ended too early: {job.state} {job.message}"
            if job.latest_checkpoint is None:
                return None
            return job if self.client.checkpoint(job.latest_checkpoint).step >= step else None

        return until(passed)

    def final_digest(self, job_id: str) -> str:
        """The sha256 of a finished job's final weights."""
        final = self.client.latest_checkpoint(job=job_id)
        assert final.phase == "final"
        return final.files["model.safetensors"].sha256


def until(what: Callable[[], T | None], patience_seconds: float = PATIENCE_SECONDS) -> T:
    """Ask again and again until there is an answer."""
    began = time.monotonic()
    while not (found := what()):
        waited_seconds = time.monotonic() - began
        assert waited_seconds < patience_seconds, f"waited {patience_seconds:g} s"
        pause(waited_seconds)
    return found


def rank_of(worker: "subprocess.Popen[bytes]") -> psutil.Process:
    """The process that trains below a worker."""

    def found() -> psutil.Process | None:
        for process in psutil.Process(worker.pid).children(recursive=True):
            try:
                if process.cmdline() and process.cmdline()[0].startswith(process_title("rank-")):
                    return process
            except psutil.NoSuchProcess:
                continue
        return None

    return until(found)


def kill(process: "subprocess.Popen[bytes]") -> None:
    """SIGKILL a process that this test started, and reap it."""
    process.send_signal(signal.SIGKILL)
    process.wait()
