"""Writes a run's state to checkpoint folders in a background thread, and reads it back."""

import json
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import wait as wait_for
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import safetensors.torch
import torch
from torch import Tensor

from service.contract.checkpoints import Checkpoint, FileDigest, Manifest, folder_name
from service.volume.disk import DISK, Disk
from service.volume.identity import SharedVolume
from service.volume.manifests import is_absent, is_of_newer_version
from workers.checkpoints.folder import (
    DamagedCheckpoint,
    read_manifest,
    staged,
    verify,
    verify_published,
    write_manifest,
)
from workers.checkpoints.tensors import TensorBlock, shared_names
from workers.checkpoints.upstream import IncompatibleCheckpoint

MODEL_FILE = "model.safetensors"
OPTIMIZER_FILE = "optim.safetensors"


class CheckpointWriter:
    """Writes the checkpoints of one attempt in a background thread, one at a time.

    Both callbacks run in that thread: `on_published(folder, manifest)` when a checkpoint is on
    disk, `on_failed(error)` when writing it failed. A failed save leaves the older checkpoints
    unchanged and no staging folder. `companions` maps names to small files that are written into
    each checkpoint.
    """

    def __init__(
        self,
        attempt_folder: Path,
        *,
        on_published: Callable[[Path, Manifest], None],
        on_failed: Callable[[Exception], None],
        companions: Mapping[str, bytes] | None = None,
        disk: Disk = DISK,
    ) -> None:
        self._attempt_folder = attempt_folder
        self._companions = dict(companions or {})
        self._on_published = on_published
        self._on_failed = on_failed
        self._disk = disk
        self._blocks: dict[str, TensorBlock] = {}
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="checkpoint")
        self._in_flight: Future[Exception | None] | None = None
        self._started_at = 0.0

    def reserve(self, file: str, tensors: Mapping[str, Tensor]) -> None:
        """Allocate the host memory for tensors of these shapes and types before the first save."""
        block = self._blocks.get(file)
        if block is None or not block.fits(tensors):
            self._blocks[file] = TensorBlock(tensors)

    def save(
        self,
        manifest: Manifest,
        model: Mapping[str, Tensor],
        optimizer: Mapping[str, Tensor],
        rank_states: Sequence[dict[str, Any]],
    ) -> Exception | None:
        """Copy the state, start writing it, and return the error of the previous save, if any.

        Waits for a save that is still in progress. `manifest.files` and `aliases` are filled in
        here; `rank_states` has one state per rank. A step that is already on disk is not written
        again.
        """
        earlier = self.wait()
        name = folder_name(manifest.phase, manifest.step)
        if (self._attempt_folder / name).exists():
            return earlier
        aliases = shared_names(model)
        contents = {MODEL_FILE: {n: t for n, t in model.items() if n not in aliases}}
        if optimizer:
            contents[OPTIMIZER_FILE] = dict(optimizer)
        copied = self._copy(contents)
        states = {
            f"rank-{r}.json": json.dumps(s, allow_nan=False).encode()
            for r, s in enumerate(rank_states)
        }
        manifest = manifest.model_copy(update={"aliases": aliases})
        self._started_at = time.monotonic()
        self._in_flight = self._thread.submit(self._write, manifest, list(contents), states, copied)
        return earlier

    def is_stuck(self, timeout_seconds: float) -> bool:
        """Whether the save in progress is unfinished `timeout_seconds` after its start.

        Waits until the save ends or that time is over.
        """
        if self._in_flight is None:
            return False
        left = self._started_at + timeout_seconds - time.monotonic()
        return bool(wait_for([self._in_flight], timeout=max(left, 0.0)).not_done)

    def seconds_of_save(self) -> float:
        """The seconds since the save in progress, or the last one, had its copy of the tensors."""
        return time.monotonic() - self._started_at

    def wait(self) -> Exception | None:
        """Wait for the save in progress, if there is one, and return its error."""
        in_flight, self._in_flight = self._in_flight, None
        return in_flight.result() if in_flight is not None else None

    def close(self) -> Exception | None:
        """Wait for the save in progress, return its error, and end the thread."""
        try:
            return self.wait()
        finally:
            self._thread.shutdown()

    def _copy(self, contents: Mapping[str, Mapping[str, Tensor]]) -> torch.cuda.Event | None:
        for file, tensors in contents.items():
            self.reserve(file, tensors)
            self._blocks[file].fill(tensors)
        if not any(t.is_cuda for tensors in contents.values() for t in tensors.values()):
            return None
        # The next step follows the copies on the same CUDA stream, so only the writer has to wait.
        copied: torch.cuda.Event = torch.cuda.Event()  # type: ignore[no-untyped-call]
        copied.record()
        return copied

    def _write(
        self,
        manifest: Manifest,
        tensor_files: list[str],
        states: dict[str, bytes],
        copied: torch.cuda.Event | None,
    ) -> Exception | None:
        try:
            if copied is not None:
                copied.synchronize()
            name = folder_name(manifest.phase, manifest.step)
            files: dict[str, FileDigest] = {}
            with staged(self._attempt_folder, name, self._disk) as stage:
                for file in tensor_files:
                    files[file] = self._disk.write(stage / file, self._blocks[file].chunks())
                for file, body in (states | self._companions).items():
                    files[file] = self._disk.write(stage / file, [body])
                manifest = manifest.model_copy(update={"files": files})
                write_manifest(stage, manifest, self._disk)
            self._on_published(self._attempt_folder / name, manifest)
        except Exception as error:
            self._on_failed(error)
            return error
        return None


class AbsentCheckpoint(Exception):
    """A checkpoint that this worker does not see: others may, so that it proves no damage."""


@dataclass(frozen=True)
class CheckpointContent:
    """The content of a checkpoint on the CPU; `model` has aliased tensors under all their names."""

    folder: Path
    manifest: Manifest
    model: dict[str, Tensor]
    optimizer: dict[str, Tensor]
    rank_states: list[dict[str, Any]]


def load(folder: Path) -> CheckpointContent:
    """Verify a checkpoint folder and read it.

    Raises DamagedCheckpoint, and IncompatibleCheckpoint for one of a newer version.
    """
    return _content(folder, verify(folder))


def load_published(volume: SharedVolume, checkpoint: Checkpoint) -> CheckpointContent:
    """Verify a checkpoint against the index, which the claim has brought, and read it.

    Raises DamagedCheckpoint, IncompatibleCheckpoint for one of a newer version, AbsentCheckpoint
    for one that this worker does not see, and WrongVolume where the folder is not the volume.
    """
    folder = volume.root / checkpoint.path
    problems = verify_published(volume.root, checkpoint)
    if problems:
        volume.require()
    if is_absent(problems):
        raise AbsentCheckpoint(
            f"{checkpoint.path} is not on the volume {volume.root} of this worker, and is not "
            "marked as damaged for that: verify it on the server"
        )
    return _content(folder, problems)


def load_resumable(volume: SharedVolume, checkpoint: Checkpoint) -> CheckpointContent:
    """Read a checkpoint that a training can resume from, as `load_published`.

    Raises IncompatibleCheckpoint for final weights, too.
    """
    loaded = load_published(volume, checkpoint)
    if loaded.manifest.phase == "final":
        raise IncompatibleCheckpoint(
            f"{loaded.folder.name} holds final weights without an optimizer state; start a new "
            "training from it with init_from"
        )
    return loaded


def _content(folder: Path, problems: list[str]) -> CheckpointContent:
    if is_of_newer_version(problems):
        raise IncompatibleCheckpoint(f"{folder.name} cannot be read: {'; '.join(problems)}")
    manifest = read_manifest(folder)
    if problems or manifest is None:
        raise DamagedCheckpoint(folder, problems)
    model = safetensors.torch.load_file(folder / MODEL_FILE)
    model |= {later: model[first] for later, first in manifest.aliases.items()}
    has_optimizer = OPTIMIZER_FILE in manifest.files
    states = sum(file.startswith("rank-") for file in manifest.files)
    return CheckpointContent(
        folder=folder,
        manifest=manifest,
        model=model,
        optimizer=safetensors.torch.load_file(folder / OPTIMIZER_FILE) if has_optimizer else {},
        rank_states=[json.loads((folder / f"rank-{r}.json").read_text()) for r in range(states)],
    )
