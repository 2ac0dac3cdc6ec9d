"""The demo: starts Trainyard, trains on the digits, evaluates, and shows the checkpoint."""

import json
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib.resources import files
from types import FrameType
from typing import Any

from service.cli import figures, terminal
from service.cli.progress import JobProgress
from service.cli.watch import require_success
from service.client import Client, StillRunning, TrainyardError
from service.contract.jobs import Job
from service.devserver.child import Child, Program
from service.devserver.local_paths import LocalPaths
from service.devserver.signals import TERMINATION_SIGNALS

TRAINING: dict[str, Any] = json.loads(
    (files("service") / "dashboard" / "first_job.json").read_text(encoding="utf-8")
)
HIGHEST_ERROR = 0.08
_LONGEST_JOB_SECONDS = 600.0
_POLL_SECONDS = 0.1


class DemoFailed(TrainyardError):
    """The server did not start, or the network did not reach the expected accuracy."""


def run_demo(paths: LocalPaths, token: str | None) -> None:
    """Start a server and a worker, train, evaluate, and stop them; the data folder is kept.

    Raises TrainyardError if a job fails, and if the top-1 error is 8 % or more.
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
        # The README has a reader submit the same one under its own name.
        trained = _run(client, TRAINING | {"name": "demo: training"})
        evaluated = _run(client, _evaluation_of(trained))
        error = (evaluated.result or {}).get("top1_error")
        terminal.echo(
            f"evaluated on the validation images: top-1 error {figures.error_rate(error)}"
        )
        checkpoint = client.latest_checkpoint()
        size = figures.size(checkpoint.bytes)
        terminal.echo(f"its latest checkpoint: {checkpoint.id}, step {checkpoint.step}, {size}")
    if error is None or error >= HIGHEST_ERROR:
        limit = figures.error_rate(HIGHEST_ERROR)
        raise DemoFailed(f"the top-1 error is {figures.error_rate(error)}, not below {limit}")
    terminal.echo(
        f"The data is kept in {paths.folder}; `make up` starts Trainyard with it: {paths.url}/"
    )


def _run(client: Client, spec: dict[str, Any]) -> Job:
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


def _evaluation_of(trained: Job) -> dict[str, Any]:
    sizes = {name: TRAINING["params"][name] for name in ("image_size", "batch_size")}
    return {
        "kind": "eval",
        "recipe": trained.recipe,
        "name": "demo: evaluation",
        "data": TRAINING["data"],
        "params": sizes,
        "checkpoint": {"job": trained.id, "which": "latest"},
    }


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
