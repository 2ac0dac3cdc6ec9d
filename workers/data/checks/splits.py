"""The splits of a data set, opened so that one problem does not hide the others."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from service.contract.data_report import CheckedSplit
from service.contract.data_spec import DataSpec
from workers.data.checks.findings import Findings
from workers.data.errors import InvalidData
from workers.data.image_files import read_image
from workers.data.images import ImageDataset, Split, SplitRequest
from workers.data.packs.source import PackedImages
from workers.data.root import data_path
from workers.data.sources import open_split
from workers.data.sources.class_checks import class_names_as_text, class_problems, name_in_split
from workers.data.sources.class_folders import described, read_class_folders
from workers.data.sources.folders import check_folder


@dataclass(frozen=True)
class OpenSplit:
    """The classes of a split, its images, and how one is read: `read` raises InvalidData."""

    name: Split
    class_names: tuple[str, ...]
    images: int
    read: Callable[[int], None]


def open_splits(data: DataSpec, data_root: Path, findings: Findings) -> list[OpenSplit]:
    """Every split that can be opened, and those it has no problem with; raises NoDataRoot."""
    splits: list[OpenSplit] = []
    for name in _splits_of(data):
        try:
            splits.append(_open(data, name, data_root, findings))
        except InvalidData as error:
            findings.add(error)
    return splits


def _splits_of(data: DataSpec) -> tuple[Split, ...]:
    return ("val",) if data.val_dir is not None and data.train_dir is None else ("train", "val")


def _open(data: DataSpec, name: Split, data_root: Path, findings: Findings) -> OpenSplit:
    folder = data.train_dir if name == "train" else data.val_dir
    if folder is not None:
        turns = data.exif_orientation == "apply"
        return _open_folder(folder, name, data_root, findings, exif_orientation=turns)
    remarks: list[str] = []
    request = SplitRequest(name, 1, 0, lambda image, _: image, data_root, remarks.append)
    images = open_split(data, request)
    findings.add_split(_summary(name, images))
    for remark in remarks:
        findings.note(remark)
    read = images.verify if isinstance(images, PackedImages) else partial(_decode, images)
    return OpenSplit(name, images.class_names, len(images), read)


def _open_folder(
    folder: str, name: Split, data_root: Path, findings: Findings, *, exif_orientation: bool
) -> OpenSplit:
    root, name_of = data_path(data_root, folder), partial(name_in_split, name, folder)
    check_folder(root, name_of(""), data_root)
    folders = read_class_folders(root, data_root, name_of, findings.add)
    for problem in class_problems(folders, folder, name):
        findings.add(problem)
    counts = Counter(label for _, label in folders.images)
    summary = CheckedSplit(
        name=name,
        images=len(folders.images),
        classes=len(folders.class_names),
        smallest_class=min((counts[label] for label in range(len(folders.class_names))), default=0),
        passed_over=described(folders.passed_over),
    )
    findings.add_split(summary)

    def read(index: int) -> None:
        path = folders.images[index][0]
        read_image(root / path, name_of(path), data_root, exif_orientation=exif_orientation)

    return OpenSplit(name, class_names_as_text(folders), len(folders.images), read)


def _summary(name: Split, images: ImageDataset) -> CheckedSplit:
    counts = Counter(images.label_of(index) for index in range(len(images)))
    return CheckedSplit(
        name=name,
        images=len(images),
        classes=len(images.class_names),
        smallest_class=min((counts[label] for label in range(len(images.class_names))), default=0),
    )


def _decode(images: ImageDataset, index: int) -> None:
    images.picture(index)
