"""Packs are read exactly, and refused with what to change."""

import os
import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import ExifTags, Image

from api_tests.support.packs import FOLDERS, PACK, build, draw, draw_folders, opened
from workers.data.cuts import CentreCut, cut_picture
from workers.data.errors import InvalidData
from workers.data.fingerprint import fingerprint_of
from workers.data.images import ImageDataset
from workers.data.loader import train_batches
from workers.data.packs.source import PackedImages


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    draw_folders(tmp_path)
    return tmp_path


def batches(images: ImageDataset, *, start: int = 0, loaders: int = 0) -> list[torch.Tensor]:
    made = train_batches(
        images, seed=7, start_step=start, batch_size=4, num_workers=loaders, augment_on="loader"
    )
    return [next(made).images for _ in range(7 - start)]


def test_a_pack_of_originals_trains_as_its_folders_bit_for_bit(photos: Path) -> None:
    build(photos)
    folders, pack = opened(photos, FOLDERS), opened(photos, PACK)
    assert fingerprint_of(pack) == fingerprint_of(folders)
    expected = batches(folders)
    assert all(map(torch.equal, batches(pack), expected))
    assert all(map(torch.equal, batches(pack, start=3, loaders=2), expected[3:]))
    for split in ("train", "val"):
        of_folder, of_pack = opened(photos, FOLDERS, split), opened(photos, PACK, split)
        for index in range(len(of_folder)):
            (image, label), (same, same_label) = (
                of_folder.sample(2, index),
                of_pack.sample(2, index),
            )
            assert torch.equal(image, same)
            assert (label, of_folder.name_of(index)) == (same_label, of_pack.name_of(index))


@pytest.mark.parametrize("encoding", ["jpeg", "raw"])
def test_a_packed_image_looks_as_its_original_made_smaller(photos: Path, encoding: str) -> None:
    build(photos, encoding)
    folders, pack = opened(photos, FOLDERS), opened(photos, PACK)
    assert fingerprint_of(pack).sha256 != fingerprint_of(folders).sha256
    for index in range(len(pack)):
        packed = pack.picture(index)
        assert packed.size == (64, 48)
        original = folders.picture(index).resize(packed.size, Image.Resampling.LANCZOS)
        difference = np.asarray(packed, np.int16) - np.asarray(original, np.int16)
        assert np.abs(difference).mean() < (6 if encoding == "jpeg" else 0.5)


@pytest.mark.parametrize("encoding", ["original", "jpeg", "raw"])
def test_the_exif_orientation_of_a_packed_image_is_applied_on_request(
    tmp_path: Path, encoding: str
) -> None:
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    draw(tmp_path / "val/a/1.jpg", 1, exif=exif)
    draw(tmp_path / "val/b/1.jpg", 2)
    build(tmp_path, encoding)
    turned = PACK.model_copy(update={"exif_orientation": "apply"})
    plain = opened(tmp_path, PACK, "val").picture(0)
    images = opened(tmp_path, turned, "val")
    assert isinstance(images, PackedImages)
    assert images.picture(0).size == plain.size[::-1]
    whole = cut_picture(np.asarray(images.picture(0)), CentreCut(32))
    assert torch.equal(images.cut(0, CentreCut(32)), whole)


def _cut(body: bytes) -> bytes:
    return body[:-100]


def _flip_an_image(body: bytes) -> bytes:
    return body[:5000] + bytes([body[5000] ^ 1]) + body[5001:]


def _flip_the_index(body: bytes) -> bytes:
    return body[:-1] + bytes([body[-1] ^ 1])


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (_cut, r"has [\d,]+ bytes, not the [\d,]+ that it was written with: copy it again"),
        (lambda body: body[:1000], "ends within its header: copy it again"),
        (lambda body: body[:8] + struct.pack("<I", 2) + body[12:], "version 2, and .* version 1"),
        (lambda body: body[:12] + b"\1" + body[13:], "the header of .* is damaged"),
        (_flip_the_index, "the index of photos.pack has not its sha256"),
        (_flip_an_image, r"damaged at cat/00\.png, .*copy the pack again"),
        (lambda _: b"PK\3\4 a zip file", "is not a pack: name a file that `trainyard data pack`"),
    ],
)
def test_a_damaged_pack_is_refused_with_what_to_do(
    photos: Path, damage: Callable[[bytes], bytes], message: str
) -> None:
    build(photos)
    path = photos / "photos.pack"
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(InvalidData, match=message):
        opened(photos, PACK).sample(0, 0)


def test_a_pack_that_is_cut_while_it_is_read_is_an_error_and_no_crash(photos: Path) -> None:
    build(photos)
    images = opened(photos, PACK)
    os.truncate(photos / "photos.pack", 4096)
    with pytest.raises(InvalidData, match=r"photos\.pack was changed while it was read"):
        images.sample(0, 0)


def test_a_pack_of_val_alone_has_nothing_to_train_on(tmp_path: Path) -> None:
    draw(tmp_path / "val/a/1.jpg", 1)
    draw(tmp_path / "val/b/1.jpg", 2)
    build(tmp_path)
    assert len(opened(tmp_path, PACK, "val")) == 2
    with pytest.raises(InvalidData, match="has no train split: pack a folder that has"):
        opened(tmp_path, PACK, "train")


def test_names_that_are_not_utf_8_are_packed(tmp_path: Path) -> None:
    draw(tmp_path / "val/a/plain.jpg", 1)
    draw(tmp_path / "val/b/plain.jpg", 2)
    os.rename(tmp_path / "val/b/plain.jpg", os.fsencode(tmp_path / "val/b") + b"/\xff.jpg")
    build(tmp_path)
    assert opened(tmp_path, PACK, "val").name_of(1) == r"b/\xff.jpg"


def test_a_damaged_image_is_named_in_one_line_whatever_its_name(tmp_path: Path) -> None:
    draw(tmp_path / "val/a/two\nlines.jpg", 1)
    draw(tmp_path / "val/b/plain.jpg", 2)
    build(tmp_path)
    path = tmp_path / "photos.pack"
    path.write_bytes(_flip_an_image(path.read_bytes()))
    with pytest.raises(InvalidData) as error:
        opened(tmp_path, PACK, "val").sample(0, 0)
    assert r"damaged at a/two\nlines.jpg, which" in str(error.value)
