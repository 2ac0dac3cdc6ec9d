"""Attempts in real folders, run by real processes: forked from one that has imported torch."""

import multiprocessing
import os
import socket
import sys
import time
from collections.abc import Callable, Sequence
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from api_tests.support.specs import complete_spec
from service.contract.agent import Claim, Lease, ReportedEvent
from service.contract.checkpoints import Checkpoint, attempt_path
from service.contract.specs import SubmittedSpec
from service.contract.submissions import Submission
from workers.attempt_dir import Assignment, AttemptDir
from workers.checkpoints.folder import checkpoints_in

os.environ.setdefault("OMP_NUM_THREADS", "1")
_FORKS = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload(["api_tests.support.rank_preload"])
PATIENCE_SECONDS = 120.0

PARAMS: dict[str, Any] = {
    "total_iters": 8,
    "batch_size": 8,
    "image_size": 32,
    "learning_rate": 0.05,
    "val_interval": 4,
    "save_interval": 3,
    "display_interval": 1,
    "bn_recalibration_iters": 4,
}
PHOTOS = {"train_dir": "train", "val_dir": "val"}


def draw_photos(
    root: Path, train: int = 20, val: int = 6, classes: Sequence[str] = ("cat", "dog")
) -> None:
    """Classes of noise, 40 pixels wide: `train` and `val` images in all."""
    for split, count in (("train", train), ("val", val)):
        for number in range(count):
            path = root / split / classes[number % len(classes)] / f"{number:02d}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            pixels = np.random.default_rng((count, number)).integers(0, 256, (40, 40, 3))
            Image.fromarray(pixels.astype(np.uint8)).save(path)


def draw_many(root: Path, count: int) -> None:
    """As many images of 1.5 megapixels, of two classes, in each of `train` and `val`."""
    pixels = np.random.default_rng(0).integers(0, 256, (32, 48, 3), dtype=np.uint8)
    photo = Image.fromarray(pixels).resize((1500, 1000), Image.Resampling.BICUBIC)
    root.mkdir(parents=True, exist_ok=True)
    photo.save(root / "photo.jpg")
    for split in ("train", "val"):
        for number in range(count):
            link = root / split / ("cat", "dog")[number % 2] / f"{number:03d}.jpg"
            link.parent.mkdir(parents=True, exist_ok=True)
            os.link(root / "photo.jpg", link)


def train_spec(recipe: str = "oneshot", **params: Any) -> dict[str, Any]:
    """A training on the photos of the volume."""
    return {"kind": "train", "recipe": recipe, "data": PHOTOS, "params": PARAMS | params}


def attempt(
    volume: Path,
    number: int = 1,
    *,
    job_id: str = "job_1",
    spec: Any = None,
    data_root: Path | None = None,
    volume_id: str | None = None,
    **claim: Any,
) -> AttemptDir:
    """The mailbox of an attempt, with `spec.json` in it; the photos are on the volume."""
    volume.mkdir(parents=True, exist_ok=True)
    attempt_dir = AttemptDir(volume / attempt_path(job_id, number))
    lease = Lease(heartbeat_seconds=1, self_end_seconds=10, kill_grace_seconds=1, stall_seconds=600)
    claimed = Claim(
        job_id=job_id,
        attempt=number,
        token="secret",
        spec=_as_claimed(spec or train_spec()),
        lease=lease,
        **claim,
    )
    attempt_dir.put(
        Assignment(
            claim=claimed,
            volume=volume,
            volume_id=volume_id,
            data_root=data_root or volume,
            import_root=volume / "imports",
        )
    )
    return attempt_dir


def _as_claimed(body: dict[str, Any]) -> SubmittedSpec:
    # A check of data has nothing to complete, and the spec of a search names its recipe here.
    is_whole = body["kind"] in ("check_data", "search")
    return Submission.model_validate(body).root if is_whole else complete_spec(body)


def start(
    attempt_dir: AttemptDir, *, ranks: int = 1, before: Callable[[], None] | None = None
) -> list[ForkServerProcess]:
    """One process a rank; `before` is called in each first, and must be importable.

    Several ranks see no device: a machine may have one, which they cannot share.
    """
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    processes = []
    for rank in range(ranks):
        environment = {"RANK": rank, "LOCAL_RANK": rank, "WORLD_SIZE": ranks}
        texts = {name: str(value) for name, value in environment.items()}
        texts |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port}
        texts |= {"CUDA_VISIBLE_DEVICES": ""} if ranks > 1 else {}
        processes.append(_FORKS.Process(target=_rank, args=(attempt_dir.folder, texts, before)))
        processes[-1].start()
    return processes


def wait(processes: list[ForkServerProcess], seconds: float = PATIENCE_SECONDS) -> None:
    """Wait for the ranks, which must end well; each at most so long."""
    for process in processes:
        process.join(seconds)
    assert [process.exitcode for process in processes] == [0] * len(processes)


def kill(processes: list[ForkServerProcess]) -> None:
    """SIGKILL every rank and see it gone."""
    for process in processes:
        process.kill()
    for process in processes:
        process.join(PATIENCE_SECONDS)


def run(
    attempt_dir: AttemptDir, *, seconds: float = PATIENCE_SECONDS, **how: Any
) -> list[ReportedEvent]:
    """The events of an attempt that is left to end, within so many seconds."""
    wait(start(attempt_dir, **how), seconds)
    return attempt_dir.events_after(0)


def ended(events: list[ReportedEvent]) -> dict[str, Any]:
    """The body of the last word."""
    assert events[-1].kind == "ended"
    return events[-1].body


def until(condition: Callable[[], bool], processes: list[ForkServerProcess]) -> None:
    """Wait until the condition holds, while the processes live."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < deadline, "waited too long"
        assert all(process.is_alive() for process in processes), "a rank ended too early"
        time.sleep(0.005)


def shown_step(attempt_dir: AttemptDir) -> int:
    """The last step that a `progress` event told of."""
    return max(
        (e.body["step"] for e in attempt_dir.events_after(0) if e.kind == "progress"), default=0
    )


def losses(*attempt_dirs: AttemptDir) -> dict[int, float]:
    """Step -> loss as shown; of attempts in order, the later has gone over the same step again."""
    return {
        event.body["step"]: event.body["metrics"]["loss"]
        for attempt_dir in attempt_dirs
        for event in attempt_dir.events_after(0)
        if event.kind == "progress" and "loss" in event.body["metrics"]
    }


def validations(*attempt_dirs: AttemptDir) -> dict[int, dict[str, float]]:
    """Step -> metrics of its validation, in the same way."""
    return {
        event.body["step"]: event.body["metrics"]
        for attempt_dir in attempt_dirs
        for event in attempt_dir.events_after(0)
        if event.kind == "metrics"
    }


def resumable(volume: Path, job_id: str = "job_1") -> tuple[Checkpoint, ...]:
    """What a claim would carry, newest first."""
    return tuple(
        as_checkpoint(volume, folder)
        for folder, manifest in reversed(checkpoints_in(volume / "jobs" / job_id))
        if manifest.phase != "final"
    )


def as_checkpoint(volume: Path, folder: Path) -> Checkpoint:
    """A folder as the index would have it."""
    ((_, manifest),) = checkpoints_in(folder)
    shared = {"job_id", "attempt", "recipe", "variant", "step", "phase", "created_at", "files"}
    return Checkpoint(
        id=manifest.checkpoint_id,
        bytes=0,
        path=str(folder.relative_to(volume)),
        **manifest.model_dump(include=shared),
    )


def final_folder(volume: Path, job_id: str = "job_1") -> Path:
    """The only final checkpoint of a job."""
    ((folder, _),) = [
        found for found in checkpoints_in(volume / "jobs" / job_id) if found[1].phase == "final"
    ]
    return folder


def final_digest(volume: Path, job_id: str = "job_1") -> str:
    """The sha256 of the final weights' file."""
    ((_, manifest),) = checkpoints_in(final_folder(volume, job_id))
    return manifest.files["model.safetensors"].sha256


def _rank(folder: Path, environment: dict[str, str], before: Callable[[], None] | None) -> None:
    from workers.runs.rank import run_rank

    os.environ.update(environment)
    log = os.open(folder / "log.txt", os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    os.dup2(log, 1)
    os.dup2(log, 2)
    if before is not None:
        before()
    sys.exit(run_rank(folder / "spec.json"))
