"""The header of a pack: by its 4,096 bytes it is seen whether the file is whole.

Little-endian: magic (8 bytes), version (4), the pack's size in bytes (8), the offset of the index
(8), the sha256 of the index (32), the crc32 of all that (4), zeros. The stored images follow the
header in the order of the index, and the index ends the file.
"""

import struct
import zlib
from dataclasses import dataclass

from workers.data.errors import InvalidData

VERSION = 1
HEADER_BYTES = 4096

# As in PNG: a transfer as text, or of 7 bits, changes it.
_MAGIC = b"\x89PACK\r\n\x1a"
_VERSION = struct.Struct("<8sI")
_HEADER = struct.Struct("<8sIQQ32s")
_CRC = struct.Struct("<I")


@dataclass(frozen=True)
class PackHeader:
    """The size of a whole pack in bytes, the offset of its index, and the index's sha256."""

    pack_bytes: int
    index_offset: int
    index_sha256: bytes

    def as_bytes(self) -> bytes:
        """The header as it is written."""
        fields = (_MAGIC, VERSION, self.pack_bytes, self.index_offset, self.index_sha256)
        written = _HEADER.pack(*fields)
        return (written + _CRC.pack(zlib.crc32(written))).ljust(HEADER_BYTES, b"\0")


def read_header(head: bytes, file_bytes: int, name: str) -> PackHeader:
    """The header of a file of `file_bytes` that begins with `head`; `name` is for messages.

    Raises InvalidData for what is no pack, of another version, or not whole.
    """
    if not head.startswith(_MAGIC):
        raise InvalidData(f"{name} is not a pack: name a file that `trainyard data pack` has made")
    if len(head) < HEADER_BYTES:
        raise InvalidData(f"{name} ends within its header: copy it again, or pack the images again")
    _, version = _VERSION.unpack_from(head)
    if version != VERSION:
        raise InvalidData(
            f"{name} is a pack of version {version}, and this worker reads version {VERSION}: "
            "pack the images again, or use a worker that reads it"
        )
    written = head[: _HEADER.size]
    if _CRC.unpack_from(head, _HEADER.size)[0] != zlib.crc32(written):
        raise InvalidData(f"the header of {name} is damaged: copy it again, or pack again")
    _, _, pack_bytes, index_offset, index_sha256 = _HEADER.unpack(written)
    if file_bytes != pack_bytes:
        raise InvalidData(
            f"{name} has {file_bytes:,} bytes, not the {pack_bytes:,} that it was written with: "
            "copy it again, or pack the images again"
        )
    return PackHeader(pack_bytes, index_offset, index_sha256)
