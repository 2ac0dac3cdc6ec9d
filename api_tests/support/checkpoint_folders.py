"""Small checkpoints in real folders, and a disk that remembers what it was asked."""

import shutil
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from itertools import product
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from service.contract.checkpoints import FileDigest, Manifest, attempt_path
from service.volume.disk import DISK, Disk
from workers.checkpoints.snapshot import CheckpointWriter

Operation = tuple[str, Path, Any]


class Killed(BaseException):
    """What no handler of a mere error takes for one."""


class DyingDisk(Disk):
    """Its process is killed before operation number `lives`."""

    def __init__(self, lives: int) -> None:
        self._lives = lives

    def _one(self) -> None:
        if self._lives == 0:
            raise Killed
        self._lives -= 1

    def rename(self, source: Path, target: Path) -> None:
        self._one()
        super().rename(source, target)

    def sync(self, folder: Path) -> None:
        self._one()
        super().sync(folder)

    def unlink(self, path: Path) -> None:
        self._one()
        super().unlink(path)

    def remove_folder(self, folder: Path) -> None:
        self._one()
        super().remove_folder(folder)


def manifest_of(step: int, **fields: Any) -> Manifest:
    """The manifest of a training checkpoint."""
    body = {
        "checkpoint_id": f"ckpt_{step}",
        "job_id": "job_1",
        "attempt": 1,
        "step": step,
        "phase": "train",
        "recipe": "oneshot",
        "variant": "searched",
        "num_classes": 2,
        "class_names": ["cat", "dog"],
        "image_size": 32,
        "preprocessing": "bgr255",
        "spec_sha256": "0" * 64,
        "world_size": 1,
        "created_at": datetime(2026, 1, 1, tzinfo=UTC),
        "files": {},
    }
    return Manifest.model_validate(body | fields)


def tensors(seed: int = 0) -> dict[str, Tensor]:
    """A few weights."""
    drawn = torch.Generator().manual_seed(seed)
    return {"a.weight": torch.rand(3, 4, generator=drawn), "b.bias": torch.rand(5, generator=drawn)}


def attempt_folder(volume: Path, attempt: int = 1, job_id: str = "job_1") -> Path:
    """The folder of an attempt, made if it is missing."""
    folder = volume / attempt_path(job_id, attempt)
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def save(
    folder: Path, step: int, disk: Disk = DISK, published: list[str] | None = None, **fields: Any
) -> Exception | None:
    """Save one checkpoint and give the error, if any; names of published ones are appended."""

    def on_published(path: Path, _: Manifest) -> None:
        if published is not None:
            published.append(path.name)

    writer = CheckpointWriter(
        folder, on_published=on_published, on_failed=lambda _: None, disk=disk
    )
    final = fields.get("phase") == "final"
    states = [] if final else [{"step": step}]
    writer.save(manifest_of(step, **fields), tensors(step), {} if final else tensors(-step), states)
    return writer.close()


class RecordingDisk(Disk):
    """Does what it is asked, and remembers it."""

    def __init__(self) -> None:
        self.operations: list[Operation] = []

    def make_folder(self, folder: Path) -> None:
        super().make_folder(folder)
        self.operations.append(("make_folder", folder, None))

    def write(self, path: Path, chunks: Iterable[bytes | memoryview]) -> FileDigest:
        content = b"".join(bytes(chunk) for chunk in chunks)
        self.operations.append(("write", path, content))
        return super().write(path, [content])

    def sync(self, folder: Path) -> None:
        super().sync(folder)
        self.operations.append(("sync", folder, None))

    def rename(self, source: Path, target: Path) -> None:
        super().rename(source, target)
        self.operations.append(("rename", source, target))

    def unlink(self, path: Path) -> None:
        super().unlink(path)
        self.operations.append(("unlink", path, None))

    def remove_folder(self, folder: Path) -> None:
        super().remove_folder(folder)
        self.operations.append(("remove_folder", folder, None))


def power_cuts(
    before: Path, volume: Path, operations: list[Operation], scratch: Path
) -> Iterator[tuple[int, Path]]:
    """Every volume that a power cut can leave: (how many operations were done, the volume).

    `before` is a copy of `volume` as it was. A file's bytes last once its write returns, and the
    names in a folder once it is synced; until then they may be there or not, for each folder. A cut
    in a write leaves half a file.
    """
    for done in range(len(operations) + 1):
        prefix = operations[:done]
        torn = [operations[done]] if done < len(operations) else []
        halves = [("write", path, c[: len(c) // 2]) for kind, path, c in torn if kind == "write"]
        for cut in [prefix, *([*prefix, half] for half in halves)]:
            folders = sorted({_names_in(operation) for operation in cut})
            for lost in product([False, True], repeat=len(folders)):
                forgetful = {f for f, gone in zip(folders, lost, strict=True) if gone}
                shutil.rmtree(scratch, ignore_errors=True)
                shutil.copytree(before, scratch)
                lasting = _lasting(cut, forgetful)
                # What was done in a folder under its new name lasts under the old one.
                renamed = {o[2]: o[1] for o in cut if o[0] == "rename" and o not in lasting}
                for operation in lasting:
                    _apply(operation, _placed(volume, scratch, renamed))
                yield done, scratch


def _names_in(operation: Operation) -> Path:
    kind, path, _ = operation
    return path if kind == "sync" else path.parent


def _lasting(operations: list[Operation], forgetful: set[Path]) -> list[Operation]:
    lasting = []
    for at, operation in enumerate(operations):
        folder = _names_in(operation)
        synced = any(o[0] == "sync" and o[1] == folder for o in operations[at + 1 :])
        if operation[0] != "sync" and (synced or folder not in forgetful):
            lasting.append(operation)
    return lasting


def _placed(volume: Path, scratch: Path, renamed: dict[Path, Path]) -> Callable[[Path], Path]:
    def placed(path: Path) -> Path:
        for new, old in renamed.items():
            if path.is_relative_to(new):
                path = old / path.relative_to(new)
        return scratch / path.relative_to(volume)

    return placed


def _apply(operation: Operation, placed: Callable[[Path], Path]) -> None:
    kind, path, argument = operation
    here = placed(path)
    if kind == "rename":
        if here.exists():
            here.rename(placed(argument))
        return
    if not here.parent.exists():
        return
    if kind == "make_folder":
        here.mkdir()
    elif kind == "write":
        here.write_bytes(argument)
    elif kind == "unlink":
        here.unlink(missing_ok=True)
    elif here.exists():
        # Names that were not to last may have kept files in it.
        shutil.rmtree(here)
