"""The fingerprint of a run's data, by which a change of the data between two attempts is seen.

Imports no torch.
"""

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol, runtime_checkable

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from service.contract.counts import count_text
from workers.data.classes import Match
from workers.data.images import ImageDataset

DATA_FILE = "data.json"
"""The name of the file in a checkpoint's folder that holds a RunData."""

_DIGITS = 16
_SHOWN = 5


@runtime_checkable
class FileImages(Protocol):
    """Images that are files each."""

    def file_of(self, index: int) -> tuple[str, int]:
        """The path of an image below the split's folder, and its size in bytes."""


class ClassFingerprint(BaseModel):
    """The images of one class: how many, and the first digits of the sha256 of what they are."""

    model_config = ConfigDict(frozen=True)

    images: int
    sha256: str


class SplitFingerprint(BaseModel):
    """The images of one split; `sha256` is over the classes and their images, all in order.

    An image counts by its path and its size in bytes, or by its name alone where it is no file.
    """

    model_config = ConfigDict(frozen=True)

    sha256: str
    images: int
    size_bytes: int | None = None
    classes: dict[str, ClassFingerprint]


class RunData(BaseModel):
    """What a run was trained on: a fingerprint by split.

    `classes_matched_by` is how the classes were matched with those of the first weights, if any.
    """

    model_config = ConfigDict(frozen=True)

    splits: dict[str, SplitFingerprint] = Field(default_factory=dict)
    classes_matched_by: Match | None = None


def fingerprint_of(images: ImageDataset, indices: Sequence[int] | None = None) -> SplitFingerprint:
    """The fingerprint of a split, or of its images at these indices alone; reads no image."""
    counted = range(len(images)) if indices is None else indices
    hashes = [hashlib.sha256() for _ in images.class_names]
    counts = [0] * len(hashes)
    files = images if isinstance(images, FileImages) else None
    total = 0
    for index in counted:
        label = images.label_of(index)
        if files is None:
            line = f"{images.name_of(index)}\0"
        else:
            path, size = files.file_of(index)
            line = f"{path}\0{size}\0"
            total += size
        hashes[label].update(line.encode(errors="surrogateescape"))
        counts[label] += 1
    whole = hashlib.sha256()
    classes = {}
    for name, count, of_class in zip(images.class_names, counts, hashes, strict=True):
        digits = of_class.hexdigest()
        whole.update(f"{name}\0{count}\0{digits}\0".encode(errors="surrogateescape"))
        classes[name] = ClassFingerprint(images=count, sha256=digits[:_DIGITS])
    return SplitFingerprint(
        sha256=whole.hexdigest(),
        images=len(counted),
        size_bytes=total if files is not None else None,
        classes=classes,
    )


def changes_of(
    before: Mapping[str, SplitFingerprint], now: Mapping[str, SplitFingerprint]
) -> dict[str, str]:
    """The changed splits, and what has changed in each, as `change_of` says it."""
    changes = {split: change_of(before[split], now[split]) for split in now if split in before}
    return {split: change for split, change in changes.items() if change}


def change_of(before: SplitFingerprint, now: SplitFingerprint) -> str:
    """What has changed in a split, in numbers; empty if nothing has.

    Such as `21 images, not 20; 6,210 bytes, not 5,940; 1 of 2 classes differs: cat has 11, not 10`.
    """
    if before.sha256 == now.sha256:
        return ""
    parts = []
    if before.images != now.images:
        images = "image" if now.images == 1 else "images"
        parts.append(f"{now.images:,} {images}, not {before.images:,}")
    sizes = (before.size_bytes or 0, now.size_bytes or 0)
    if sizes[0] != sizes[1]:
        parts.append(f"{sizes[1]:,} bytes, not {sizes[0]:,}")
    names = list(dict.fromkeys([*before.classes, *now.classes]))
    changed = [name for name in names if before.classes.get(name) != now.classes.get(name)]
    if changed:
        shown = "; ".join(_class_change(name, before, now) for name in changed[:_SHOWN])
        more = "; …" if len(changed) > _SHOWN else ""
        classes = count_text(len(names), "class", "classes")
        differ = "differs" if len(changed) == 1 else "differ"
        parts.append(f"{len(changed)} of {classes} {differ}: {shown}{more}")
    return "; ".join(parts) or "the same images in another order of the classes"


def read_run_data(folder: Path) -> RunData | None:
    """The data of the run that saved a checkpoint; None if the checkpoint does not have it."""
    try:
        return RunData.model_validate_json((folder / DATA_FILE).read_bytes())
    except (FileNotFoundError, ValidationError):
        return None


def _class_change(name: str, before: SplitFingerprint, now: SplitFingerprint) -> str:
    counts = [_images(split.classes, name) for split in (now, before)]
    if counts[0] == counts[1]:
        return f"{name} has other file names or sizes"
    return f"{name} has {counts[0]:,}, not {counts[1]:,}"


def _images(classes: Mapping[str, ClassFingerprint], name: str) -> int:
    return classes[name].images if name in classes else 0
