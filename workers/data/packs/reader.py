"""A pack that is open for reading."""

import hashlib
import mmap
import os
import weakref
import zlib
from collections.abc import Iterator
from pathlib import Path

from workers.data.errors import InvalidData
from workers.data.file_errors import data_error_of
from workers.data.file_names import printable
from workers.data.images import Split
from workers.data.packs.header import HEADER_BYTES, read_header
from workers.data.packs.index import PackIndex, PackInfo, PackSplit, parse_index
from workers.data.packs.index_checks import check_index
from workers.data.regular_files import open_regular_file


class Pack:
    """A pack whose index is mapped into memory, once for all processes of the machine.

    Images are read by position: processes that are forked share the open file, and a file that is
    cut while it is read is an error, where a mapping of it would end the process by SIGBUS.
    """

    def __init__(self, path: Path, name: str, data_root: Path) -> None:
        """Open a pack and check its size and its index; `name` is for messages.

        Raises InvalidData, NoDataRoot.
        """
        self.name, self._data_root = name, data_root
        with open_regular_file(path, name, data_root) as file:
            self._fd = os.dup(file.fileno())
        weakref.finalize(self, os.close, self._fd)
        try:
            self._header = read_header(self._at(0, HEADER_BYTES), self._size(), name)
            self._mapped = mmap.mmap(self._fd, 0, access=mmap.ACCESS_READ)
        except OSError as error:
            raise data_error_of(error, name, data_root) from error
        self._index = self._checked_index()

    @property
    def info(self) -> PackInfo:
        """What the pack holds."""
        return self._index.info

    def split(self, name: Split) -> tuple[PackSplit, int]:
        """A split, and the number of its first image; raises InvalidData if there is none."""
        first = 0
        for split in self.info.splits:
            if split.name == name:
                return split, first
            first += split.images
        raise InvalidData(
            f"{self.name} has no {name} split: pack a folder that has the folder {name}"
        )

    def path_of(self, number: int) -> str:
        """The path of an image below the folder that it was packed from."""
        self._require_whole()
        return self._index.path_of(number)

    def label_of(self, number: int) -> int:
        """The class of an image in its split."""
        self._require_whole()
        return int(self._index.records["label"][number])

    def is_tiled(self, number: int) -> bool:
        """Whether an image is a JPEG in tiles."""
        self._require_whole()
        return int(self._index.records["tiled"][number]) == 1

    def sizes_of(self, number: int) -> tuple[int, int]:
        """The size of an image in bytes: of the file that was packed, and as it is stored."""
        self._require_whole()
        record = self._index.records[number]
        return int(record["original_bytes"]), int(record["stored_bytes"])

    def read(self, number: int) -> bytes:
        """An image as it is stored, checked by its crc32; raises InvalidData, NoDataRoot."""
        self._require_whole()
        record = self._index.records[number]
        try:
            stored = self._at(int(record["offset"]), int(record["stored_bytes"]))
        except OSError as error:
            raise data_error_of(error, self.name, self._data_root) from error
        if zlib.crc32(stored) != record["crc32"]:
            raise self._damaged(number)
        return stored

    def verify(self, number: int) -> bytes:
        """An image as it is stored, checked by its sha256; raises InvalidData, NoDataRoot."""
        stored = self.read(number)
        if hashlib.sha256(stored).digest() != self._index.records["sha256"][number].tobytes():
            raise self._damaged(number)
        return stored

    def _require_whole(self) -> None:
        # Of a file that was cut the mapped index is gone, and reading it would be a SIGBUS.
        if self._size() != self._header.pack_bytes:
            raise InvalidData(f"{self.name} was changed while it was read: leave it as it is")

    def _damaged(self, number: int) -> InvalidData:
        return InvalidData(
            f"{self.name} is damaged at {printable(self.path_of(number))}, which has not the "
            "digest that it was packed with: copy the pack again, or pack the images again"
        )

    def _checked_index(self) -> PackIndex:
        content = memoryview(self._mapped)[self._header.index_offset :]
        if hashlib.sha256(content).digest() != self._header.index_sha256:
            raise InvalidData(
                f"the index of {self.name} has not its sha256: copy the pack again, or pack again"
            )
        try:
            index = parse_index(content)
            check_index(index, self._header.index_offset)
            return index
        except ValueError as error:
            raise InvalidData(
                f"this worker cannot read the index of {self.name} ({error}): pack the images again"
            ) from error

    def _size(self) -> int:
        return os.fstat(self._fd).st_size

    def _at(self, offset: int, length: int) -> bytes:
        return b"".join(self._parts(offset, length))

    def _parts(self, offset: int, length: int) -> Iterator[bytes]:
        while length > 0:
            part = os.pread(self._fd, length, offset)
            if not part:
                return
            yield part
            offset, length = offset + len(part), length - len(part)
