"""Packs: made whole or not at all, read exactly, refused with what to change."""

import json
import os
import signal
import struct
from collections.abc import Callable
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import ExifTags, Image

from service.contract.data_spec import DataSpec
from workers.data.__main__ import main
from workers.data.cuts import CentreCut, cut_picture
from workers.data.errors import InvalidData
from workers.data.fingerprint import fingerprint_of
from workers.data.images import ImageDataset, Split, SplitRequest
from workers.data.loader import train_batches
from workers.data.packs import builder as builder_module
from workers.data.packs.builder import PackBuilder, PackSummary
from workers.data.packs.encoding import Storage
from workers.data.packs.originals import Originals
from workers.data.packs.reader import Pack
from workers.data.packs.source import PackedImages
from workers.data.sources import open_split
from workers.data.transforms import preprocess_of

FOLDERS = DataSpec(train_dir="train", val_dir="val")
PACK = DataSpec(packed="photos.pack")


def draw(path: Path, seed: int, size: tuple[int, int] = (60, 80), **how: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    small = np.random.default_rng(seed).integers(0, 256, (6, 8, 3), dtype=np.uint8)
    Image.fromarray(small).resize((size[1], size[0]), Image.Resampling.BICUBIC).save(path, **how)


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    for split, count in (("train", 20), ("val", 6)):
        for number in range(count):
            suffix = "jpg" if number % 3 else "png"
            draw(tmp_path / split / ("cat", "dog")[number % 2] / f"{number:02d}.{suffix}", number)
    return tmp_path


def build(
    root: Path, encoding: Any = "original", *, processes: int = 1, name: str = "photos.pack"
) -> PackSummary:
    builder = PackBuilder(Originals(root, ""), Storage(encoding, 48, 90), root / name)
    return builder.build(processes, lambda *_: None)


def opened(root: Path, data: DataSpec, split: Split = "train") -> ImageDataset:
    return open_split(data, SplitRequest(split, 32, 7, preprocess_of("bgr_normalized"), root))


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


def test_a_small_plain_jpeg_is_kept_and_a_progressive_one_is_not(tmp_path: Path) -> None:
    draw(tmp_path / "val/a/plain.jpg", 1, (40, 50))
    draw(tmp_path / "val/b/progressive.jpg", 2, (40, 50), progressive=True)
    build(tmp_path, "jpeg")
    pack = Pack(tmp_path / "photos.pack", "photos.pack", tmp_path)
    assert pack.read(0) == (tmp_path / "val/a/plain.jpg").read_bytes()
    assert pack.read(1) != (tmp_path / "val/b/progressive.jpg").read_bytes()


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


def test_the_number_of_processes_changes_no_byte(photos: Path) -> None:
    summary = build(photos, "jpeg")
    build(photos, "jpeg", processes=2, name="again.pack")
    assert (photos / "photos.pack").read_bytes() == (photos / "again.pack").read_bytes()
    assert (summary.images, summary.resumed) == (26, 0)


def kill_a_packing(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def progress(done: int, _: int) -> None:
        if done == 13:
            os.kill(os.getpid(), signal.SIGKILL)

    monkeypatch.setattr(builder_module, "_SYNC_IMAGES", 5)
    builder = PackBuilder(Originals(root, ""), Storage("jpeg", 48, 90), root / "photos.pack")
    process = get_context("fork").Process(target=builder.build, args=(1, progress))
    process.start()
    process.join(60)
    assert process.exitcode == -signal.SIGKILL
    assert not (root / "photos.pack").exists()


def test_a_killed_packing_goes_on_and_makes_the_same_pack(
    photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    build(photos, "jpeg", name="alone.pack")
    kill_a_packing(photos, monkeypatch)
    assert build(photos, "jpeg").resumed == 10
    assert (photos / "photos.pack").read_bytes() == (photos / "alone.pack").read_bytes()
    assert not list(photos.glob("*.partial*"))


def _touch(photos: Path) -> None:
    os.utime(photos / "train/cat/00.png", ns=(1, 1))


def _add(photos: Path) -> None:
    draw(photos / "train/cat/98.png", 98)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (_touch, r"00\.png .*changed .*, and remove .*photos\.pack\.partial to begin again"),
        (_add, r"photos\.pack\.partial was begun with other images or options"),
    ],
)
def test_a_packing_does_not_go_on_with_images_that_changed(
    photos: Path, change: Callable[[Path], None], message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    kill_a_packing(photos, monkeypatch)
    change(photos)
    with pytest.raises(InvalidData, match=message):
        build(photos, "jpeg")


def test_a_packing_begins_again_once_its_partial_file_is_removed(
    photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kill_a_packing(photos, monkeypatch)
    (photos / "photos.pack.partial").unlink()
    assert build(photos, "raw").resumed == 0
    assert not list(photos.glob("*.partial*"))


def test_a_packing_that_ctrl_c_ends_goes_on_from_its_last_image(photos: Path) -> None:
    def progress(done: int, _: int) -> None:
        if done == 13:
            raise KeyboardInterrupt

    builder = PackBuilder(Originals(photos, ""), Storage("jpeg", 48, 90), photos / "photos.pack")
    with pytest.raises(KeyboardInterrupt):
        builder.build(1, progress)
    assert build(photos, "jpeg").resumed == 13


def test_a_pack_that_another_process_has_just_made_is_left_as_it_is(
    photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    build(photos, "jpeg", name="alone.pack")
    whole = (photos / "alone.pack").read_bytes()

    def lock_after_the_other(*_: object) -> None:
        # It ends between the opening of the file here and the lock.
        (photos / "photos.pack.partial").write_bytes(whole)
        os.replace(photos / "photos.pack.partial", photos / "photos.pack")

    monkeypatch.setattr("fcntl.flock", lock_after_the_other)
    with pytest.raises(InvalidData, match="has just packed into"):
        build(photos, "jpeg")
    assert (photos / "photos.pack").read_bytes() == whole


def test_an_image_that_is_too_long_for_a_jpeg_is_refused_by_name(tmp_path: Path) -> None:
    draw(tmp_path / "val/a/1.png", 1)
    (tmp_path / "val/b").mkdir()
    Image.new("RGB", (65_501, 1)).save(tmp_path / "val/b/long.png")
    with pytest.raises(InvalidData, match=r"b/long\.png \(val split\) .*--format raw or original"):
        build(tmp_path, "jpeg")
    assert build(tmp_path, "raw", name="raw.pack").images == 2


@pytest.mark.parametrize("change", ["rewritten", "added"])
def test_a_pack_of_images_that_change_meanwhile_is_refused(photos: Path, change: str) -> None:
    def progress(done: int, _: int) -> None:
        if done == 10 and change == "rewritten":
            os.utime(photos / "train/cat/00.png", ns=(1, 1))
        if done == 10 and change == "added":
            draw(photos / "train/cat/99.png", 99)

    builder = PackBuilder(Originals(photos, ""), Storage("jpeg", 48, 90), photos / "photos.pack")
    with pytest.raises(InvalidData, match="pack it when nothing writes to it"):
        builder.build(1, progress)
    assert not (photos / "photos.pack").exists()


def test_a_pack_is_not_written_over_a_file(photos: Path) -> None:
    (photos / "photos.pack").touch()
    with pytest.raises(InvalidData, match="exists: remove it, or name another file"):
        build(photos)


def test_a_folder_that_is_not_below_the_data_root_is_refused(
    photos: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["check", str(photos), "--data-root", str(photos / "train")]) == 1
    assert "is not below" in json.loads(capsys.readouterr().out)["error"]


@pytest.mark.parametrize("make", [Path.mkdir, os.mkfifo])
def test_a_check_of_an_empty_folder_or_of_no_file_says_what_to_name(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], make: Callable[[Path], None]
) -> None:
    make(tmp_path / "photos")
    assert main(["check", str(tmp_path / "photos")]) == 1
    error = json.loads(capsys.readouterr().out)["error"]
    assert error.endswith("a folder with the folders train and val, or val alone: name one")


def test_an_image_that_would_end_a_training_is_not_packed(photos: Path) -> None:
    (photos / "train/dog/01.jpg").write_bytes(b"\xff\xd8\xff no picture")
    with pytest.raises(InvalidData, match=r"train/dog/01\.jpg \(train split\) is not a readable"):
        build(photos)
    assert not (photos / "photos.pack").exists()


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
