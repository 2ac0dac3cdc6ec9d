"""Writes imported weights as a checkpoint folder, in one pass and with constant memory."""

import hashlib
import json
import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from service.contract.checkpoints import FileDigest, Manifest, folder_name
from service.volume.disk import DISK, Disk
from workers.checkpoints.folder import staged, write_manifest
from workers.checkpoints.rng import restore_rng, rng_state
from workers.checkpoints.snapshot import MODEL_FILE, OPTIMIZER_FILE
from workers.checkpoints.tensors import file_header, in_file_order
from workers.data.mean_image import MEAN_FILE, mean_bytes
from workers.exchange.imports import ImportedWeights

_PART_VALUES = 1 << 18
_SHOWN = 10
_RANK_FILE = "rank-0.json"

Progress = Callable[[int, int], None]
"""Called with the bytes written and the total bytes, about once per MiB."""


@dataclass(frozen=True)
class PublishedImport:
    """The checkpoint that was written, and sentences for its user."""

    folder: Path
    manifest: Manifest
    notes: tuple[str, ...]


def publish_import(
    imported: ImportedWeights,
    attempt_folder: Path,
    *,
    checkpoint_id: str,
    job_id: str,
    attempt: int,
    created_at: datetime,
    progress: Progress = lambda *_: None,
    disk: Disk = DISK,
) -> PublishedImport:
    """Write the checkpoint folder; it appears whole or not at all.

    Needs no memory for tensors beyond those of the file. Weights with NaN or infinite values are
    written, and named in a note.
    """
    contents = {MODEL_FILE: imported.model}
    if imported.momentum:
        contents[OPTIMIZER_FILE] = imported.momentum
    written = _CountedChunks(
        sum(t.nbytes for part in contents.values() for t in part.values()), progress
    )
    name = folder_name(imported.phase, imported.step)
    files: dict[str, FileDigest] = {}
    with staged(attempt_folder, name, disk) as stage:
        for file, tensors in contents.items():
            files[file] = disk.write(stage / file, written.chunks(tensors))
        for file, body in _small_files(imported).items():
            files[file] = disk.write(stage / file, [body])
        manifest = _manifest(imported, files, checkpoint_id, job_id, attempt, created_at)
        write_manifest(stage, manifest, disk)
    return PublishedImport(attempt_folder / name, manifest, (*imported.notes, *written.notes()))


class _CountedChunks:
    """Yields the bytes of tensor files, counts them, and checks that the values are finite."""

    def __init__(self, total: int, progress: Progress) -> None:
        self._done, self._total, self._progress = 0, total, progress
        self._not_finite: list[str] = []

    def chunks(self, tensors: Mapping[str, Tensor]) -> Iterator[bytes | memoryview]:
        yield file_header(tensors)
        for name, tensor in in_file_order(tensors):
            finite = True
            flat = tensor.detach().reshape(-1)
            for start in range(0, len(flat), _PART_VALUES):
                part = flat[start : start + _PART_VALUES]
                finite = finite and bool(part.isfinite().all())
                yield memoryview(part.view(torch.uint8).numpy().data)
                self._done += part.nbytes
                self._progress(self._done, self._total)
            if not finite:
                self._not_finite.append(name)

    def notes(self) -> list[str]:
        if not self._not_finite:
            return []
        shown = ", ".join(self._not_finite[:_SHOWN])
        more = ", …" if len(self._not_finite) > _SHOWN else ""
        count = len(self._not_finite)
        have = "1 tensor has" if count == 1 else f"{count} tensors have"
        return [f"{have} NaN or infinite values ({shown}{more})"]


def _small_files(imported: ImportedWeights) -> dict[str, bytes]:
    small_files = {}
    if imported.phase == "train":
        small_files[_RANK_FILE] = json.dumps(_rank_state(imported.step), allow_nan=False).encode()
    if imported.mean is not None:
        small_files[MEAN_FILE] = mean_bytes(imported.mean)
    return small_files


def _rank_state(step: int) -> dict[str, Any]:
    # The state that a run would save at this step with empty averages and fresh random states.
    return {
        "step": step,
        "window": {"sums": [0.0, 0.0, 0.0], "samples": 0, "steps": 0},
        "metrics": {},
        "rng": _fresh_rng(step),
    }


def _fresh_rng(seed: int) -> dict[str, Any]:
    cpu = torch.device("cpu")
    before = rng_state(cpu)
    try:
        random.seed(seed)
        np.random.seed(seed % 2**32)
        torch.manual_seed(seed)
        return rng_state(cpu)
    finally:
        restore_rng(before, cpu)


def _manifest(
    imported: ImportedWeights,
    files: dict[str, FileDigest],
    checkpoint_id: str,
    job_id: str,
    attempt: int,
    created_at: datetime,
) -> Manifest:
    identity = imported.identity
    return Manifest(
        checkpoint_id=checkpoint_id,
        job_id=job_id,
        attempt=attempt,
        step=imported.step,
        phase=imported.phase,
        recipe=identity.recipe,
        variant=identity.variant,
        num_classes=identity.num_classes,
        class_names=imported.class_names,
        image_size=imported.image_size,
        preprocessing=imported.preprocessing,
        # The weights were not made by a specification of this service: the digest of an empty one.
        spec_sha256=hashlib.sha256(b"").hexdigest(),
        world_size=1,
        created_at=created_at,
        aliases=dict(imported.aliases),
        # The version of torch is unknown, so a resumed run reports that it is not bit for bit.
        versions={"torch": "unknown"},
        files=files,
    )
