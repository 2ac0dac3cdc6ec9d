"""The check of a data set: everything that would end a job, in one report."""

import os
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from api_tests.support.attempts import draw_photos
from service.contract.data_report import DataReport
from service.contract.data_spec import DataSpec
from workers.data.checks.data_set import check_data
from workers.data.errors import NoDataRoot
from workers.data.packs.builder import PackBuilder
from workers.data.packs.encoding import Storage
from workers.data.packs.originals import Originals

FOLDERS = DataSpec(train_dir="train", val_dir="val")


def check(
    root: Path, data: DataSpec = FOLDERS, *, batch_size: int | None = None, processes: int = 1
) -> DataReport:
    return check_data(
        data, root, batch_size=batch_size, processes=processes, progress=lambda *_: None
    )


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    draw_photos(tmp_path)
    return tmp_path


def test_good_data_has_no_problem(photos: Path) -> None:
    report = check(photos, batch_size=20, processes=2)
    assert (report.ok, report.problems) == (True, ())
    assert [(each.name, each.images, each.classes) for each in report.splits] == [
        ("train", 20, 2),
        ("val", 6, 2),
    ]


def test_one_report_has_everything_that_would_end_a_job(photos: Path) -> None:
    (photos / "train/cat/00.png").write_bytes(b"no picture")
    whole = (photos / "val/dog/01.png").read_bytes()
    (photos / "val/dog/01.png").write_bytes(whole[:-200])
    Image.fromarray(np.zeros((9, 9), np.float32)).save(photos / "val/cat/float.tif")
    (photos / "val/bird").mkdir()
    os.symlink("/etc/hostname", photos / "train/dog/link.png")
    os.symlink("nowhere", photos / "val/dog/gone.png")
    os.mkfifo(photos / "train/dog/fifo.png")
    (photos / "train/cat/notes.txt").touch()
    report = check(photos, batch_size=64)
    texts = "\n".join(problem.text for problem in report.problems)
    for expected in (
        "train/cat/00.png (train split) is not a readable image",
        "val/dog/01.png (val split) is not a readable image",
        "val/cat/float.tif (val split) is not a readable image (its pixels are 32-bit",
        "val/bird (val split) contains no image",
        "train/dog/link.png (train split) leads out of the data root",
        "val/dog/gone.png (val split) does not exist",
        "train/dog/fifo.png (train split) is not a regular file",
        "train and val have different classes: bird is new",
        "batch_size 64 is larger than the training set of 20 images",
    ):
        assert expected in texts
    assert (report.ok, report.problems_total) == (False, 9)
    assert report.splits[0].passed_over == "1 .txt"


def test_a_data_root_that_goes_meanwhile_is_no_problem_of_the_data(photos: Path) -> None:
    def unmount(done: int, _: int) -> None:
        if done == 3:
            photos.rename(photos.with_name("gone"))

    with pytest.raises(NoDataRoot):
        check_data(FOLDERS, photos, batch_size=None, processes=1, progress=unmount)


def test_a_missing_folder_does_not_hide_what_is_wrong_with_the_other(photos: Path) -> None:
    (photos / "val/cat/00.png").write_bytes(b"no picture")
    report = check(photos, FOLDERS.model_copy(update={"train_dir": "nowhere"}))
    assert len(report.problems) == 2
    assert "there is no such folder" in report.problems[0].text


def test_the_check_of_a_pack_compares_every_digest(photos: Path) -> None:
    PackBuilder(Originals(photos, ""), Storage("original", 320, 90), photos / "p.pack").build(
        1, lambda *_: None
    )
    data = DataSpec(packed="p.pack")
    assert check(photos, data).ok
    body = bytearray((photos / "p.pack").read_bytes())
    body[5000] ^= 1
    (photos / "p.pack").write_bytes(body)
    report = check(photos, data)
    (problem,) = [each for each in report.problems if each.ends_job]
    assert "p.pack is damaged at cat/00.png" in problem.text


def test_a_check_finds_what_the_crc32_does_not_see(photos: Path) -> None:
    path = photos / "p.pack"
    PackBuilder(Originals(photos, ""), Storage("original", 320, 90), path).build(1, lambda *_: None)
    body = bytearray(path.read_bytes())
    before = zlib.crc32(body[4096:])
    # A multiple of the polynomial of crc32: five bytes, whose bits count from the lowest.
    for place, bits in enumerate((0x41, 0x06, 0x71, 0xDB, 0x01)):
        body[5000 + place] ^= bits
    assert zlib.crc32(body[4096:]) == before
    path.write_bytes(body)
    (problem,) = [
        each for each in check(photos, DataSpec(packed="p.pack")).problems if each.ends_job
    ]
    assert "p.pack is damaged at cat/00.png" in problem.text


def test_a_data_set_of_a_package_is_read_too() -> None:
    assert check(Path("/"), DataSpec(dataset="digits")).ok
