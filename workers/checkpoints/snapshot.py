"""A training run's state to a checkpoint folder and back, with the run waiting only for a copy."""

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

from service.contract.checkpoints import FileDigest, Manifest, folder_name
from service.volume.disk import DISK, Disk
from workers.checkpoints.folder import (
    DamagedCheckpoint,
    read_manifest,
    staged,
    verify,
    write_manifest,
)
from workers.checkpoints.tensors import TensorBlock, shared_names
from workers.checkpoints.upstream import IncompatibleCheckpoint

MODEL_FILE = "model.safetensors"
OPTIMIZER_FILE = "optim.safetensors"


class CheckpointWriter:
    """Writes checkpoints of one attempt in a thread of its own, one at a time.

    Both callbacks run in that thread: `on_published(folder, manifest)` when a checkpoint is on
    disk, `on_failed(error)` when it is not. A failed save leaves the older checkpoints and no
    stage, and the run goes on. `companions` are small files that each checkpoint carries, by name.
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
        self._began = 0.0

    def reserve(self, file: str, tensors: Mapping[str, Tensor]) -> None:
        """Allocate the memory for `file` ahead; parameters may stand in for their momentum."""
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
        """Copy the state, start writing it, and give the error of the save before, if any.

        `manifest.files` and `aliases` are filled in here; `rank_states` has one state per rank.
        Waits for a save in flight. A step that is on disk already is not written again.
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
        states = {f"rank-{r}.json": json.dumps(s).encode() for r, s in enumerate(rank_states)}
        manifest = manifest.model_copy(update={"aliases": aliases})
        self._began = time.monotonic()
        self._in_flight = self._thread.submit(self._write, manifest, list(contents), states, copied)
        return earlier

    def is_stuck(self, patience_seconds: float) -> bool:
        """Whether the save in flight is not over so long after it began; waits until then."""
        if self._in_flight is None:
            return False
        left = self._began + patience_seconds - time.monotonic()
        return bool(wait_for([self._in_flight], timeout=max(left, 0.0)).not_done)

    def wait(self) -> Exception | None:
        """Wait for the save in flight, if there is one, and give its error."""
        in_flight, self._in_flight = self._in_flight, None
        return in_flight.result() if in_flight is not None else None

    def close(self) -> Exception | None:
        """The same, and end the thread."""
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
        # The next step is queued behind the copies on the same stream: only the writer waits.
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


@dataclass(frozen=True)
class Loaded:
    """A checkpoint in memory, on the CPU; `model` has aliased tensors under all their names."""

    manifest: Manifest
    model: dict[str, Tensor]
    optimizer: dict[str, Tensor]
    rank_states: list[dict[str, Any]]


def load(folder: Path) -> Loaded:
    """Check every digest and read a checkpoint; raises DamagedCheckpoint."""
    problems = verify(folder)
    manifest = read_manifest(folder)
    if problems or manifest is None:
        raise DamagedCheckpoint(folder, problems)
    model = safetensors.torch.load_file(folder / MODEL_FILE)
    model |= {later: model[first] for later, first in manifest.aliases.items()}
    has_optimizer = OPTIMIZER_FILE in manifest.files
    states = sum(file.startswith("rank-") for file in manifest.files)
    return Loaded(
        manifest=manifest,
        model=model,
        optimizer=safetensors.torch.load_file(folder / OPTIMIZER_FILE) if has_optimizer else {},
        rank_states=[json.loads((folder / f"rank-{r}.json").read_text()) for r in range(states)],
    )


def load_resumable(folder: Path) -> Loaded:
    """The same, to train on from; raises IncompatibleCheckpoint for final weights."""
    loaded = load(folder)
    if loaded.manifest.phase == "final":
        raise IncompatibleCheckpoint(
            f"{folder.name} holds final weights without a training state; name it in init_from"
        )
    return loaded
