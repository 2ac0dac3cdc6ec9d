"""What must hold in an index whose digest is right: a program of someone else may have made it."""

from collections import Counter

import numpy as np
from numpy.typing import NDArray

from service.contract.text import NAME_LENGTH, cut_text
from workers.data.file_names import printable
from workers.data.packs.header import HEADER_BYTES
from workers.data.packs.index import PackIndex, PackSplit


def check_index(index: PackIndex, index_offset: int) -> None:
    """Raise ValueError for what a training would end of, such as a label without a class.

    `index_offset` is the end of the stored images in the pack.
    """
    names = Counter(split.name for split in index.info.splits)
    if not names or max(names.values()) > 1:
        raise ValueError("it has not every split once")
    _check_paths(index)
    _check_places(index, index_offset)
    first = 0
    for split in index.info.splits:
        _check_classes(split, index.records["label"][first : first + split.images])
        first += split.images


def _check_paths(index: PackIndex) -> None:
    ends = index.records["path_end"]
    if int(ends[-1]) != index.paths.size or int(ends[0]) == 0 or not np.all(ends[:-1] < ends[1:]):
        raise ValueError("its paths are not those of its images")


def _check_places(index: PackIndex, index_offset: int) -> None:
    offsets, lengths = index.records["offset"], index.records["stored_bytes"]
    # No sum: it might be more than 64 bits hold.
    inside = (offsets >= HEADER_BYTES) & (offsets < index_offset) & (lengths > 0)
    inside &= lengths <= index_offset - np.minimum(offsets, index_offset)
    if not inside.all():
        raise ValueError(f"{_image(index, ~inside)} lies outside of the pack's images")


def _check_classes(split: PackSplit, labels: NDArray[np.uint32]) -> None:
    for name, count in Counter(split.class_names).items():
        if count > 1 or cut_text(name, NAME_LENGTH) != name:
            raise ValueError(f"{cut_text(name, NAME_LENGTH)!r} is no name of one class")
    classes = len(split.class_names)
    if int(labels.max()) >= classes:
        raise ValueError(
            f"the {split.name} split has an image of class {labels.max()}, and its classes are "
            f"numbered from 0 to {classes - 1}"
        )
    counts = np.bincount(labels, minlength=classes)
    if not counts.all():
        empty = split.class_names[int(counts.argmin())]
        raise ValueError(f"class {printable(empty)} of the {split.name} split has no image")


def _image(index: PackIndex, wrong: NDArray[np.bool_]) -> str:
    return printable(index.path_of(int(np.flatnonzero(wrong)[0])))
