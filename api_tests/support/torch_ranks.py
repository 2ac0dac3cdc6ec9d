"""Ranks that have torch, as the trainer has."""

import os
import signal
import socket
import subprocess
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NoReturn

import torch

from workers.attempt_dir import AttemptDir
from workers.data.errors import InvalidData
from workers.runs import datasets
from workers.runs.rank import run_rank
from workers.training import process_group
from workers.training.checkpoint_publisher import CheckpointPublisher


def tells_threads(spec_path: Path) -> int:
    """Says how many threads torch computes with."""
    body = {"message": str(torch.get_num_threads())}
    AttemptDir(spec_path.parent).append("note", body, datetime.now(UTC))
    return 0


def trains_with_grandchildren(spec_path: Path) -> int:
    """Trains, with a child in a session of its own and an orphan in another."""
    subprocess.Popen(["sleep", "600"], start_new_session=True)
    subprocess.run(["sh", "-c", "setsid sleep 601 &"], check=True)
    return trains_on_the_cpu(spec_path)


def waits_briefly(spec_path: Path) -> int:
    """Trains, with ranks that wait for each other for seconds, not minutes."""
    process_group.TIMEOUT = timedelta(seconds=3)
    return run_rank(spec_path)


def second_never_joins(spec_path: Path) -> int:
    """The first rank waits briefly for the second, which hangs before it joins."""
    while os.environ["RANK"] == "1":
        signal.pause()
    return waits_briefly(spec_path)


def first_never_joins(spec_path: Path) -> int:
    """The second rank waits briefly for the first, which hangs before it joins."""
    while os.environ["RANK"] == "0":
        signal.pause()
    return waits_briefly(spec_path)


def second_finds_no_data(spec_path: Path) -> int:
    """The second rank's data is wrong, while the first one is still opening its own."""

    def opened(*_: object) -> NoReturn:
        while os.environ["RANK"] == "0":
            signal.pause()
        raise InvalidData("no such image")

    datasets.open_split = opened
    return waits_briefly(spec_path)


def second_wants_the_port(spec_path: Path) -> int:
    """Trains; the second rank tries to listen where the first one shall, and before it."""
    tried = spec_path.parent / "tried"
    taken = socket.socket()
    if os.environ["RANK"] == "1":
        with suppress(OSError):
            taken.bind((os.environ["MASTER_ADDR"], int(os.environ["MASTER_PORT"])))
            taken.listen()
        tried.touch()
    while not tried.exists():
        signal.sigtimedwait([], 0.01)
    return waits_briefly(spec_path)


def first_saves_slowly(spec_path: Path) -> int:
    """Trains; the first rank needs seconds for each wait for a save."""
    wait = CheckpointPublisher.wait

    def slowly(publisher: CheckpointPublisher) -> Exception | None:
        if os.environ["RANK"] == "0":
            signal.sigtimedwait([], 4)
        return wait(publisher)

    CheckpointPublisher.wait = slowly  # type: ignore[method-assign]
    return run_rank(spec_path)


def trains_on_the_cpu(spec_path: Path) -> int:
    """Trains without the GPUs that it was given: the fake driver's are none."""
    return run_rank(spec_path, find_problem=lambda: None)
