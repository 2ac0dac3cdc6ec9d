"""The images below one folder: which count, of which class, and what is passed over."""

import os
from array import array
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn

from service.contract.counts import count_text
from workers.data.errors import InvalidData
from workers.data.file_errors import data_error_of
from workers.data.file_names import printable

SUFFIXES = frozenset(
    {".avif", ".bmp", ".gif", ".jfif", ".jpe", ".jpeg", ".jpg", ".pbm", ".pgm", ".png", ".pnm"}
    | {".ppm", ".tif", ".tiff", ".webp"}
)
"""Of the files that count as images, in lower case."""

_SYSTEM_NAMES = frozenset(
    {"__MACOSX", "__pycache__", "@eaDir", "#recycle", "$RECYCLE.BIN", "lost+found"}
    | {"System Volume Information"}
)
_SUFFIXES_NAMED = 4
_MOST_WAYS = 100

_FolderId = tuple[int, int]


@dataclass(frozen=True)
class ClassFolders:
    """Images as (path below the root, label), sorted by class and then by the parts of the path.

    `sizes` are theirs in bytes. `passed_over` counts by description what is no part of the data,
    such as `hidden`.
    """

    class_names: tuple[str, ...]
    images: list[tuple[str, int]]
    sizes: Sequence[int]
    passed_over: Counter[str] = field(default_factory=Counter)


def _raise(error: InvalidData) -> NoReturn:
    raise error


def read_class_folders(
    root: Path,
    data_root: Path,
    name_of: Callable[[str], str],
    refuse: Callable[[InvalidData], None] = _raise,
) -> ClassFolders:
    """The images in the sub-folders of `root`, one for each class, at any depth.

    Links are followed as long as they stay below `data_root`. Hidden names, folders that systems
    leave behind, and files without the suffix of an image are passed over. `name_of` gives the name
    for messages of a path below `root`. Raises InvalidData for links that lead nowhere, out, in a
    circle or to one folder in more than 100 ways, for what is neither file nor folder, and for
    folders that cannot be read; NoDataRoot.
    With a `refuse` that takes these InvalidData, what they name is left out.
    """
    reader = _FolderReader(root, data_root, name_of, refuse)
    class_names = tuple(reader.class_names())
    images: list[tuple[str, int]] = []
    sizes = array("q")
    for label, name in enumerate(class_names):
        of_class = sorted(reader.images_below(name), key=lambda image: image[0].split("/"))
        images += [(path, label) for path, _ in of_class]
        sizes.extend(size for _, size in of_class)
    return ClassFolders(class_names, images, sizes, reader.passed_over)


def described(passed_over: Counter[str]) -> str:
    """The counts as a text, the largest first, such as `12 .txt, 3 hidden`."""
    in_order = sorted(passed_over.items(), key=lambda item: (-item[1], item[0]))
    named = in_order[:_SUFFIXES_NAMED]
    others = passed_over.total() - sum(count for _, count in named)
    texts = [f"{count} {what}" for what, count in named]
    return ", ".join([*texts, count_text(others, "other")] if others else texts)


class _FolderReader:
    def __init__(
        self,
        root: Path,
        data_root: Path,
        name_of: Callable[[str], str],
        refuse: Callable[[InvalidData], None],
    ) -> None:
        self._root, self._data_root, self._name_of = root, data_root, name_of
        self._refuse = refuse
        self._real_data_root = os.path.realpath(data_root)
        self.passed_over: Counter[str] = Counter()

    def class_names(self) -> list[str]:
        """The names of the sub-folders that are classes, sorted."""
        names = []
        for entry in self._entries(""):
            try:
                if self._is_folder(entry, entry.name):
                    names.append(entry.name)
                else:
                    self.passed_over["beside the class folders"] += 1
            except InvalidData as error:
                self._refuse(error)
        return sorted(names)

    def images_below(self, class_name: str) -> Iterator[tuple[str, int]]:
        """The images of a class as (path below the root, size in bytes), in no order."""
        pending: list[tuple[str, tuple[_FolderId, ...]]] = [(class_name, (self._id_of(""),))]
        ways: Counter[_FolderId] = Counter()
        while pending:
            folder, above = pending.pop()
            try:
                here = (*above, self._own_id(folder, above))
                ways[here[-1]] += 1
                self._check_ways(folder, ways[here[-1]])
                entries = self._entries(folder)
            except InvalidData as error:
                self._refuse(error)
                continue
            for entry in entries:
                relative = f"{folder}/{entry.name}"
                try:
                    if self._is_folder(entry, relative):
                        pending.append((relative, here))
                    elif self._is_image(entry, relative):
                        yield relative, self._size_of(entry, relative)
                except InvalidData as error:
                    self._refuse(error)

    def _own_id(self, folder: str, above: tuple[_FolderId, ...]) -> _FolderId:
        folder_id = self._id_of(folder)
        if folder_id in above:
            raise InvalidData(
                f"{self._name_of(folder)} is a link to a folder that contains it: remove it"
            )
        return folder_id

    def _check_ways(self, folder: str, ways: int) -> None:
        # Each folder with two links to the next doubles the paths: without a circle, no end is met.
        if ways > _MOST_WAYS:
            raise InvalidData(
                f"{self._name_of(folder)} is a folder that links reach in more than {_MOST_WAYS} "
                "ways from its class: remove links"
            )

    def _entries(self, folder: str) -> list["os.DirEntry[str]"]:
        try:
            with os.scandir(self._root / folder) as entries:
                return [entry for entry in entries if self._counts(entry.name)]
        except OSError as error:
            raise data_error_of(error, self._name_of(folder), self._data_root) from error

    def _counts(self, name: str) -> bool:
        hidden = name.startswith(".")
        if hidden or name in _SYSTEM_NAMES:
            self.passed_over["hidden" if hidden else printable(name)] += 1
            return False
        return True

    def _is_folder(self, entry: "os.DirEntry[str]", relative: str) -> bool:
        try:
            if entry.is_symlink():
                self._check_link(entry.path, relative)
            return entry.is_dir()
        except OSError as error:
            raise data_error_of(error, self._name_of(relative), self._data_root) from error

    def _is_image(self, entry: "os.DirEntry[str]", relative: str) -> bool:
        suffix = os.path.splitext(entry.name)[1].lower()
        if suffix not in SUFFIXES:
            self.passed_over[printable(suffix) or "without a suffix"] += 1
            return False
        if not entry.is_file():
            raise InvalidData(f"{self._name_of(relative)} is not a regular file: remove it")
        return True

    def _size_of(self, entry: "os.DirEntry[str]", relative: str) -> int:
        # Beside the reading of its folder, where network file systems have it at hand.
        try:
            return entry.stat().st_size
        except OSError as error:
            raise data_error_of(error, self._name_of(relative), self._data_root) from error

    def _check_link(self, path: str, relative: str) -> None:
        target = os.path.realpath(path, strict=True)
        if not Path(target).is_relative_to(self._real_data_root):
            raise InvalidData(
                f"{self._name_of(relative)} leads out of the data root: copy its target below it"
            )

    def _id_of(self, folder: str) -> _FolderId:
        try:
            status = os.stat(self._root / folder)
        except OSError as error:
            raise data_error_of(error, self._name_of(folder), self._data_root) from error
        return status.st_dev, status.st_ino
