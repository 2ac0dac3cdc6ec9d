"""Ways to save a training: ours, torch.save as people write it by hand, and DCP's async_save."""

import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

import torch
from torch.distributed.checkpoint.state_dict_saver import async_save

from api_tests.support.checkpoint_folders import manifest_of
from benchmarks.noise_training import Training
from workers.checkpoints.snapshot import MODEL_FILE, OPTIMIZER_FILE, CheckpointWriter


class Way(Protocol):
    """One way to save."""

    def save(self, training: Training, number: int) -> threading.Event:
        """Save, and give what is set once the bytes are durable."""

    def close(self) -> None:
        """End what it began."""


class Ours:
    """A copy into memory that is there already, and a thread that writes, hashes and publishes."""

    def __init__(self, folder: Path, training: Training) -> None:
        self._durable = threading.Event()
        self._writer = CheckpointWriter(
            folder, on_published=lambda *_: self._durable.set(), on_failed=self._failed
        )
        self._writer.reserve(MODEL_FILE, training.model())
        self._writer.reserve(OPTIMIZER_FILE, training.momentum())

    def save(self, training: Training, number: int) -> threading.Event:
        """As the trainer does."""
        self._durable.clear()
        self._writer.save(manifest_of(number), training.model(), training.momentum(), [{}])
        return self._durable

    def close(self) -> None:
        """Wait for the thread."""
        self._writer.close()

    def _failed(self, error: Exception) -> None:
        raise error


class TorchSave:
    """What careful people write by hand."""

    def __init__(self, folder: Path, _: Training) -> None:
        self._folder = folder

    def save(self, training: Training, number: int) -> threading.Event:
        """Write beside, fsync, rename, fsync the folder."""
        target = self._folder / f"{number}.pth"
        content = {"model": training.model(), "momentum": training.momentum()}
        with target.with_suffix(".tmp").open("wb") as file:
            torch.save(content, file)
            file.flush()
            os.fsync(file.fileno())
        target.with_suffix(".tmp").rename(target)
        handle = os.open(self._folder, os.O_RDONLY)
        os.fsync(handle)
        os.close(handle)
        durable = threading.Event()
        durable.set()
        return durable

    def close(self) -> None:
        """Nothing is left."""


class Dcp:
    """torch.distributed.checkpoint with its own copy and thread; it fsyncs, and has no digest."""

    def __init__(self, folder: Path, _: Training) -> None:
        self._folder = folder

    def save(self, training: Training, number: int) -> threading.Event:
        """As its documentation says."""
        content = {"model": training.model(), "momentum": training.momentum()}
        durable = threading.Event()
        saved: Any = async_save(content, checkpoint_id=self._folder / str(number), no_dist=True)

        def done(future: Any) -> None:
            future.result()
            durable.set()

        saved.add_done_callback(done)
        return durable

    def close(self) -> None:
        """Nothing is left."""


WAYS: dict[str, Callable[[Path, Training], Way]] = {
    "ours": Ours,
    "torch.save + fsync + rename": TorchSave,
    "DCP async_save": Dcp,
}
