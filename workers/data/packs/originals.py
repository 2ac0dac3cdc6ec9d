"""The images of the folders that are packed, in the order of the pack."""

import hashlib
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Protocol

from service.contract.data_spec import DataSpec
from workers.data.classes import difference
from workers.data.errors import InvalidData
from workers.data.file_errors import data_error_of
from workers.data.file_names import path_below
from workers.data.images import ImageDataset, Split, SplitRequest
from workers.data.packs.encoding import Original, changed
from workers.data.packs.index import PackSplit
from workers.data.sources import open_split

_SPLITS: tuple[Split, ...] = ("train", "val")


class _FileImages(ImageDataset, Protocol):
    def file_of(self, index: int) -> tuple[str, int]: ...


class Originals:
    """The folders `train` and `val` in a folder below the data root, or `val` alone."""

    def __init__(self, data_root: Path, folder: str) -> None:
        """List the images; raises InvalidData for what a training would refuse, NoDataRoot."""
        self.data_root, self._folder = data_root, folder
        self._images = self._listed()
        self._numbers = [
            (split, index) for split, images in self._images.items() for index in range(len(images))
        ]
        self.splits = tuple(
            PackSplit(name=split, class_names=images.class_names, images=len(images))
            for split, images in self._images.items()
        )

    def __len__(self) -> int:
        return len(self._numbers)

    def file_of(self, number: int) -> tuple[Path, str]:
        """The path of an image, and its name for messages."""
        split, relative = self._path_of(number)
        name = path_below(os.path.join(self._folder, split), relative)
        return self.data_root / self._folder / split / relative, f"{name} ({split} split)"

    def label_of(self, number: int) -> int:
        """The class of an image in its split."""
        split, index = self._numbers[number]
        return self._images[split].label_of(index)

    def paths(self) -> list[str]:
        """The path of each image below the folder of its split."""
        return [self._path_of(number)[1] for number in range(len(self))]

    def total_bytes(self) -> int:
        """The size of all files."""
        return sum(self._images[split].file_of(index)[1] for split, index in self._numbers)

    def digest(self) -> str:
        """The sha256 of the classes, and of the paths and sizes of all images."""
        sha256 = hashlib.sha256()
        for split in self.splits:
            sha256.update(split.model_dump_json().encode(errors="surrogateescape"))
        for split_name, index in self._numbers:
            path, size = self._images[split_name].file_of(index)
            sha256.update(f"{path}\0{size}\0".encode(errors="surrogateescape"))
        return sha256.hexdigest()

    def check(self, number: int, packed: Original) -> None:
        """Raise InvalidData if an image's file is not the one that was packed."""
        path, name = self.file_of(number)
        try:
            now = Original.of(path.stat())
        except OSError as error:
            raise data_error_of(error, name, self.data_root) from error
        if now != packed:
            raise changed(name)

    def check_unchanged(self, packed: Iterable[Original]) -> None:
        """Raise InvalidData if the folders do not have the images that were packed any more."""
        for number, original in enumerate(packed):
            self.check(number, original)
        again = Originals(self.data_root, self._folder)
        if again.digest() != self.digest():
            raise InvalidData(
                f"images came to {path_below(self._folder, '')} or went while it was packed: "
                "pack it when nothing writes to it"
            )

    def _path_of(self, number: int) -> tuple[Split, str]:
        split, index = self._numbers[number]
        return split, self._images[split].file_of(index)[0]

    def _listed(self) -> dict[Split, _FileImages]:
        there = [split for split in _SPLITS if (self.data_root / self._folder / split).is_dir()]
        if "val" not in there:
            folder = path_below(str(self.data_root), self._folder)
            raise InvalidData(
                f"{folder} needs a folder val, and for trainings a folder train beside it, each "
                "with one sub-folder of images for each class"
            )
        images = {split: self._split(split) for split in there}
        if "train" in images:
            wrong = difference(images["train"].class_names, images["val"].class_names, "val")
            if wrong:
                raise InvalidData(f"train and val have different classes: {wrong}")
        return images

    def _split(self, split: Split) -> _FileImages:
        folder = os.path.join(self._folder, split)
        data = DataSpec.model_construct(train_dir=folder, val_dir=folder)
        request = SplitRequest(split, 1, 0, lambda image, _: image, self.data_root)
        images = open_split(data, request)
        return images  # type: ignore[return-value] # images of folders are files
