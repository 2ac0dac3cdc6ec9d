"""The index of a pack: what it holds, and where each image lies.

A JSON text (its length first, 8 bytes, little-endian), padded to 8 bytes; a record for each image,
as `RECORD`; the paths of the images, one behind the other.
"""

import json
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from service.contract.sentences import sentence_of
from workers.data.images import Split

Encoding = Literal["original", "jpeg", "raw"]

ALIGNMENT = 8
RECORD = np.dtype(
    [
        ("offset", "<u8"),
        ("original_bytes", "<u8"),
        ("path_end", "<u8"),
        ("stored_bytes", "<u4"),
        ("crc32", "<u4"),
        ("label", "<u4"),
        ("tiled", "<u4"),
        ("sha256", "V32"),
    ]
)
"""Of one image: offset in the pack; its size as a file, and as stored; where its path ends in the
paths; digests of the stored bytes; its class in the split; 1 for a JPEG whose restart intervals are
tiles, which older packs have not (0)."""

_LENGTH = struct.Struct("<Q")


class PackSplit(BaseModel):
    """One split of a pack; the records of the splits follow each other in their order."""

    model_config = ConfigDict(frozen=True)

    name: Split
    class_names: Annotated[tuple[str, ...], Field(min_length=1)]
    images: Annotated[int, Field(ge=1)]


class PackInfo(BaseModel):
    """What a pack holds, and how its images were stored.

    `original`: the files as they were. `jpeg`: JPEG of `quality`, the short side at most
    `short_side` pixels. `raw`: pixels, the short side at most `short_side`.
    """

    model_config = ConfigDict(frozen=True)

    encoding: Encoding
    short_side: int | None = None
    quality: int | None = None
    splits: tuple[PackSplit, ...]


@dataclass(frozen=True)
class PackIndex:
    """A pack's index; the arrays may be views of the file."""

    info: PackInfo
    records: NDArray[np.void]
    paths: NDArray[np.uint8]

    def path_of(self, number: int) -> str:
        """The path of an image below the folder of its split."""
        begin = int(self.records["path_end"][number - 1]) if number else 0
        end = int(self.records["path_end"][number])
        return self.paths[begin:end].tobytes().decode(errors="surrogateescape")


def index_bytes(info: PackInfo, records: NDArray[np.void], paths: Sequence[str]) -> bytes:
    """The index as it is written; sets the records' `path_end`."""
    encoded = [path.encode(errors="surrogateescape") for path in paths]
    records["path_end"] = np.cumsum([len(path) for path in encoded], dtype=np.uint64)
    head = json.dumps(info.model_dump(mode="json"), allow_nan=False).encode()
    head = head.ljust(-(-len(head) // ALIGNMENT) * ALIGNMENT)
    return b"".join([_LENGTH.pack(len(head)), head, records.tobytes(), *encoded])


def parse_index(content: memoryview) -> PackIndex:
    """The index of these bytes, whose digest was checked; ValueError if they are none."""
    if len(content) < _LENGTH.size:
        raise ValueError("it is too short")
    (length,) = _LENGTH.unpack_from(content)
    begin = _LENGTH.size + length
    try:
        info = PackInfo.model_validate_json(bytes(content[_LENGTH.size : begin]))
    except ValidationError as error:
        raise ValueError(sentence_of(error)) from error
    count = sum(split.images for split in info.splits)
    if (len(content) - begin) // RECORD.itemsize < count:
        raise ValueError(f"it has not the records of {count:,} images")
    records = np.frombuffer(content, RECORD, count, begin)
    paths = np.frombuffer(content, np.uint8, offset=begin + records.nbytes)
    return PackIndex(info, records, paths)
