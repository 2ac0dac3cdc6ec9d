"""An index with a right digest that a program of someone else has made: refused as a bad pack."""

import hashlib
import json
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from api_tests.support.packs import PACK, build, draw, draw_folders, opened
from workers.data.errors import InvalidData
from workers.data.packs.header import HEADER_BYTES, PackHeader, read_header
from workers.data.packs.index import PackIndex, parse_index

Info, Records = dict[str, Any], NDArray[np.void]


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    draw_folders(tmp_path)
    build(tmp_path)
    return tmp_path


def index_of(pack: Path) -> tuple[bytes, PackIndex]:
    body = pack.read_bytes()
    header = read_header(body[:HEADER_BYTES], len(body), pack.name)
    content = body[header.index_offset :]
    return body[: header.index_offset], parse_index(memoryview(content))


def write(pack: Path, images: bytes, index: bytes) -> None:
    header = PackHeader(len(images) + len(index), len(images), hashlib.sha256(index).digest())
    pack.write_bytes(header.as_bytes() + images[HEADER_BYTES:] + index)


def remake(pack: Path, change: Callable[[Info, Records], None]) -> None:
    images, index = index_of(pack)
    info, records = index.info.model_dump(mode="json"), index.records.copy()
    change(info, records)
    head = json.dumps(info).encode()
    content = struct.pack("<Q", len(head)) + head + records.tobytes() + index.paths.tobytes()
    write(pack, images, content)


def split(name: str, value: Any) -> Callable[[Info, Records], None]:
    return lambda info, _: info["splits"][0].update({name: value})


def field(name: str, value: int) -> Callable[[Info, Records], None]:
    """Of the fourth image."""

    def change(_: Info, records: Records) -> None:
        records[name][3] = value

    return change


def of_one_class(_: Info, records: Records) -> None:
    records["label"][:] = 1


def twice(info: Info, _: Records) -> None:
    info["splits"][1]["name"] = "train"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (field("label", 2), "train split has an image of class 2, .* numbered from 0 to 1"),
        (field("label", 2**32 - 1), "train split has an image of class 4294967295"),
        (of_one_class, "class cat of the train split has no image"),
        (split("images", 2_000), "not the records of 2,006 images"),
        (split("images", 19), "paths are not those of its images"),
        (split("images", -5), r"splits\.0\.images: .* greater than or equal to 1"),
        (split("images", 0), r"splits\.0\.images: .* greater than or equal to 1"),
        (split("class_names", []), r"splits\.0\.class_names"),
        (split("class_names", ["cat", "cat"]), "'cat' is no name of one class"),
        (split("class_names", ["cat", "d" * 300]), "is no name of one class"),
        (split("class_names", ["cat", "dog\0"]), "is no name of one class"),
        (split("name", "test"), r"splits\.0\.name"),
        (twice, "has not every split once"),
        (lambda info, _: info.update(splits=[]), "has not every split once"),
        (lambda info, _: info.update(encoding="png"), "encoding: Input should be"),
        (field("offset", 0), "lies outside of the pack's images"),
        (field("offset", 2**64 - 8), "lies outside of the pack's images"),
        (field("stored_bytes", 0), r"cat/06\.png lies outside of the pack's images"),
        (field("stored_bytes", 2**32 - 1), r"cat/06\.png lies outside of the pack's images"),
        (field("path_end", 0), "paths are not those of its images"),
        (field("path_end", 2**64 - 1), "paths are not those of its images"),
    ],
)
def test_an_index_that_does_not_hold_together_is_refused_as_a_bad_pack(
    photos: Path, change: Callable[[Info, Records], None], message: str
) -> None:
    remake(photos / "photos.pack", change)
    pattern = rf"cannot read the index of photos\.pack \(.*{message}.*\): pack the images again"
    with pytest.raises(InvalidData, match=pattern):
        opened(photos, PACK)


@pytest.mark.parametrize("index", [b"", b"\x10", struct.pack("<Q", 2**63), struct.pack("<Q", 2)])
def test_an_index_that_is_none_is_refused_as_a_bad_pack(photos: Path, index: bytes) -> None:
    images, _ = index_of(photos / "photos.pack")
    write(photos / "photos.pack", images, index)
    with pytest.raises(InvalidData, match=r"cannot read the index of photos\.pack \(.*pack the"):
        opened(photos, PACK)


@pytest.mark.parametrize("stored", [b"raw", b"\0" * 12, struct.pack("<IIHxx", 5, 7, 1) + b"\0"])
def test_a_raw_image_of_a_wrong_size_is_refused_as_a_bad_pack(
    tmp_path: Path, stored: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    draw(tmp_path / "val/a/1.png", 1)
    draw(tmp_path / "val/b/1.png", 2)
    build(tmp_path, "raw")
    images = opened(tmp_path, PACK, "val")
    monkeypatch.setattr("workers.data.packs.reader.Pack.read", lambda *_: stored)
    with pytest.raises(InvalidData, match=r"photos\.pack has an image of a wrong size"):
        images.sample(0, 0)
