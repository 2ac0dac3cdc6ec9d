"""What every demo has: an installation that runs as long as it, and jobs that it waits for."""

import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Any

from service.cli import terminal
from service.cli.progress import JobProgress
from service.cli.watch import require_success
from service.client import Client, StillRunning, TrainyardError
from service.contract.jobs import Job
from service.devserver.child import Child, Program
from service.devserver.local_paths import LocalPaths
from service.devserver.signals import TERMINATION_SIGNALS

_LONGEST_JOB_SECONDS = 600.0
_POLL_SECONDS = 0.1


class DemoFailed(TrainyardError):
    """The server did not start, or what was trained is worse than expected."""


@contextmanager
def demo_yard(paths: LocalPaths, token: str | None) -> Iterator[Client]:
    """A server and a worker with this folder, until the block ends; the folder is kept.

    Raises TrainyardError.
    """
    paths.require_free_port()
    paths.make_folders()
    with (
        _signals_raise_keyboard_interrupt(),
        Client(paths.url, token) as client,
        _running_server(paths) as up,
    ):
        _wait_until_ready(client, up)
        terminal.echo(f"Trainyard is running; its dashboard is {paths.url}/")
        yield client
    terminal.echo(
        f"The data is kept in {paths.folder}; `make up` starts Trainyard with it: {paths.url}/"
    )


def run_job(client: Client, spec: dict[str, Any]) -> Job:
    """Submit a job and wait for its end; raises TrainyardError if it fails."""
    job = client.submit(spec)
    terminal.echo(f"{job.kind} job {job.id}")
    try:
        with JobProgress(terminal.console()) as progress:
            ended = client.wait(job.id, progress.show, timeout_seconds=_LONGEST_JOB_SECONDS)
    except (KeyboardInterrupt, StillRunning):
        # An unfinished job would run before the jobs of the next demo.
        with suppress(TrainyardError):
            client.cancel(job.id, "now")
        raise
    require_success(ended)
    return ended


@contextmanager
def _running_server(paths: LocalPaths) -> Iterator[Child]:
    command = [sys.executable, "-m", "service.cli", "up", "--workers", "1"]
    command += ["--data-dir", str(paths.folder), "--host", paths.host, "--port", str(paths.port)]
    log = paths.folder / "logs" / "up.log"
    # A second thread speeds small images up little, and slows them down on a busy core.
    env = {"OMP_NUM_THREADS": "1", **paths.environ}
    up = Child(Program("trainyard up", command, env, log))
    try:
        yield up
    finally:
        _stop(up)


def _stop(up: Child) -> None:
    while up.exit_status() is None:
        try:
            up.send_signal(signal.SIGTERM)
            up.wait()
        except KeyboardInterrupt:
            # The second SIGTERM makes `trainyard up` kill its processes.
            continue


def _wait_until_ready(client: Client, up: Child) -> None:
    while not client.ready():
        if up.exit_status() is not None:
            raise DemoFailed(up.last_output_line())
        time.sleep(_POLL_SECONDS)


@contextmanager
def _signals_raise_keyboard_interrupt() -> Iterator[None]:
    def interrupt(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    previous_handlers = {each: signal.signal(each, interrupt) for each in TERMINATION_SIGNALS}
    try:
        yield
    finally:
        for each, handler in previous_handlers.items():
            signal.signal(each, handler)
