"""Packs are made whole or not at all."""

import os
import signal
from collections.abc import Callable
from multiprocessing import get_context
from pathlib import Path

import pytest
from PIL import Image

from api_tests.support.packs import build, builder_of, draw, draw_folders
from workers.data.errors import InvalidData
from workers.data.packs import builder as builder_module
from workers.data.packs.reader import Pack


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    draw_folders(tmp_path)
    return tmp_path


def test_a_small_plain_jpeg_is_kept_and_a_progressive_one_is_not(tmp_path: Path) -> None:
    draw(tmp_path / "val/a/plain.jpg", 1, (40, 50))
    draw(tmp_path / "val/b/progressive.jpg", 2, (40, 50), progressive=True)
    build(tmp_path, "jpeg")
    pack = Pack(tmp_path / "photos.pack", "photos.pack", tmp_path)
    assert pack.read(0) == (tmp_path / "val/a/plain.jpg").read_bytes()
    assert pack.read(1) != (tmp_path / "val/b/progressive.jpg").read_bytes()


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
    builder = builder_of(root, "jpeg")
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

    builder = builder_of(photos, "jpeg")
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

    builder = builder_of(photos, "jpeg")
    with pytest.raises(InvalidData, match="pack it when nothing writes to it"):
        builder.build(1, progress)
    assert not (photos / "photos.pack").exists()


def test_a_pack_is_not_written_over_a_file(photos: Path) -> None:
    (photos / "photos.pack").touch()
    with pytest.raises(InvalidData, match="exists: remove it, or name another file"):
        build(photos)


def test_an_image_that_would_end_a_training_is_not_packed(photos: Path) -> None:
    (photos / "train/dog/01.jpg").write_bytes(b"\xff\xd8\xff no picture")
    with pytest.raises(InvalidData, match=r"train/dog/01\.jpg \(train split\) is not a readable"):
        build(photos)
    assert not (photos / "photos.pack").exists()
