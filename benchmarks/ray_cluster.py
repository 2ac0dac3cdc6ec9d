"""A Ray cluster of one machine, installed for the time of a benchmark."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

_PACKAGES = ("ray[default,train]",)
_INSTALL_SECONDS, _START_SECONDS, _JOB_SECONDS = 300, 90, 120
_COMMAND = (sys.executable, "-m", "ray.scripts.scripts")
_ROOT = Path(__file__).parents[1]


class RayUnavailable(Exception):
    """Ray could not be installed or started; its text says why, for the page."""


def install_ray(packages: Path) -> None:
    """Install Ray into a folder of packages; raises RayUnavailable."""
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--target", str(packages)]
    try:
        subprocess.run(
            [*command, *_PACKAGES], check=True, timeout=_INSTALL_SECONDS, capture_output=True
        )
    except (subprocess.SubprocessError, OSError) as error:
        raise RayUnavailable(f"pip could not install it ({type(error).__name__})") from error


class RayCluster:
    """`ray start --head` with its dashboard, to which jobs are submitted."""

    def __init__(self, packages: Path, folder: Path) -> None:
        """Start it; raises RayUnavailable."""
        self._folder = folder
        self._environment = os.environ | {
            "PYTHONPATH": f"{packages}:{_ROOT}",
            "RAY_USAGE_STATS_ENABLED": "0",
        }
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self._port = probe.getsockname()[1]
        self._head = self._start()

    def first_step(self) -> float:
        """Seconds from the submission of a job to the end of its first step."""
        file = self._folder / f"stepped-{time.monotonic_ns()}"
        began = time.perf_counter()
        program = [sys.executable, "-m", "benchmarks.ray_training", str(file)]
        address = f"--address=http://127.0.0.1:{self._port}"
        self._ray("job", "submit", address, "--no-wait", "--", *program)
        _wait_for(file.exists, "the first step", _JOB_SECONDS)
        return time.perf_counter() - began

    def close(self) -> None:
        """End the cluster, which takes half a minute where a job has not ended yet."""
        self._head.terminate()
        try:
            self._head.wait(60)
        except subprocess.TimeoutExpired:
            self._head.kill()
            self._head.wait()

    def _start(self) -> "subprocess.Popen[bytes]":
        with (self._folder / "ray.log").open("wb") as log:
            head = subprocess.Popen(
                [
                    *_COMMAND,
                    *("start", "--head", "--block", "--port=0", "--num-cpus=2"),
                    f"--dashboard-port={self._port}",
                ],
                env=self._environment,
                stdout=log,
                stderr=log,
            )
        try:
            _wait_for(self._answers, "the cluster", _START_SECONDS)
        except RayUnavailable:
            head.kill()
            head.wait()
            raise
        return head

    def _answers(self) -> bool:
        with socket.socket() as client:
            return client.connect_ex(("127.0.0.1", self._port)) == 0

    def _ray(self, *arguments: str) -> None:
        try:
            subprocess.run(
                [*_COMMAND, *arguments],
                env=self._environment,
                check=True,
                timeout=_JOB_SECONDS,
                capture_output=True,
            )
        except subprocess.SubprocessError as error:
            raise RayUnavailable(f"`ray {arguments[0]}` failed: {error}") from error


def _wait_for(condition: Callable[[], bool], what: str, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise RayUnavailable(f"{what} did not come in {seconds:g} s")
        time.sleep(0.005)
