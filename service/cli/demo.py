"""The demo: a training on real images, from the first command to the latest checkpoint."""

import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Any

from rich.console import Console

from service.cli import figures
from service.cli.jobs import require_success
from service.cli.progress import JobProgress
from service.client import StillRunning, TrainyardClient, TrainyardError
from service.contract.jobs import Job
from service.devserver.child import Child, Program
from service.devserver.local_paths import LocalPaths
from service.devserver.signals import ENDINGS

TRAINING: dict[str, Any] = {
    "kind": "train",
    "recipe": "oneshot",
    "name": "demo",
    "data": {"dataset": "digits"},
    "params": {
        "total_iters": 500,
        "batch_size": 32,
        "image_size": 32,
        "learning_rate": 0.05,
        "label_smoothing": 0.1,
        "seed": 0,
        "val_interval": 100,
        "save_interval": 100,
        "display_interval": 10,
    },
}
HIGHEST_ERROR = 0.08
_LONGEST_JOB_SECONDS = 600.0
_POLL_SECONDS = 0.1


class DemoFailed(TrainyardError):
    """The demo did not show what it promises."""


def run_demo(layout: LocalPaths, token: str | None, console: Console) -> None:
    """Start a yard, train, evaluate, and end the yard; it stays on disk.

    Raises TrainyardError for a failed job, and for a top-1 error of 8 % or more.
    """
    layout.require_free_port()
    layout.make()
    with _interruptible(), TrainyardClient(layout.url, token) as client, _yard(layout) as yard:
        _wait_until_ready(client, yard)
        console.print(f"the yard is up; its dashboard: {layout.url}/")
        trained = _run(client, TRAINING, console)
        evaluated = _run(client, _evaluation_of(trained), console)
        error = (evaluated.result or {}).get("top1_error")
        console.print(
            f"evaluated on the validation images: top-1 error {figures.error_rate(error)}"
        )
        console.print("GET /checkpoints/latest")
        console.print(client.latest_checkpoint().model_dump_json(indent=2), soft_wrap=True)
    if error is None or error >= HIGHEST_ERROR:
        most = figures.error_rate(HIGHEST_ERROR)
        raise DemoFailed(f"the top-1 error is {figures.error_rate(error)}, not below {most}")
    console.print(
        f"The yard rests in {layout.folder}; `make up` starts it again, dashboard {layout.url}/",
        soft_wrap=True,
    )


def _run(client: TrainyardClient, spec: dict[str, Any], console: Console) -> Job:
    job = client.submit(spec)
    console.print(f"{job.kind} job {job.id}")
    try:
        with JobProgress(console) as progress:
            ended = client.wait(job.id, progress.show, timeout_seconds=_LONGEST_JOB_SECONDS)
    except (KeyboardInterrupt, StillRunning):
        # Else the next demo would wait for what is left of this one.
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
def _yard(layout: LocalPaths) -> Iterator[Child]:
    command = [sys.executable, "-m", "service.cli", "up", "--workers", "1"]
    command += ["--data-dir", str(layout.folder), "--host", layout.host, "--port", str(layout.port)]
    log = layout.folder / "logs" / "up.log"
    # Small images gain little from a second thread, and lose much when its core is not free.
    env = {"OMP_NUM_THREADS": "1", **layout.outer}
    yard = Child(Program("the yard", command, env, log))
    try:
        yield yard
    finally:
        _end(yard)


def _end(yard: Child) -> None:
    while yard.ended() is None:
        try:
            yard.send(signal.SIGTERM)
            yard.wait()
        except KeyboardInterrupt:
            # The second signal that the yard gets: it kills.
            continue


def _wait_until_ready(client: TrainyardClient, yard: Child) -> None:
    while not client.ready():
        if yard.ended() is not None:
            raise DemoFailed(yard.last_words())
        time.sleep(_POLL_SECONDS)


@contextmanager
def _interruptible() -> Iterator[None]:
    def interrupt(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = {each: signal.signal(each, interrupt) for each in ENDINGS}
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)
