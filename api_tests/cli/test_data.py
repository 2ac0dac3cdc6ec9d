"""`trainyard data`: the commands that check and pack images on this machine."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from api_tests.support.attempts import draw_photos


def data(*arguments: str | Path) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "service.cli", "data", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    draw_photos(tmp_path / "photos")
    return tmp_path / "photos"


def test_a_folder_is_packed_and_the_pack_is_checked(photos: Path, tmp_path: Path) -> None:
    packed = data("pack", photos, tmp_path / "photos.pack", "--processes=2")
    assert (packed.returncode, packed.stderr) == (0, "")
    assert "photos.pack: 26 images" in packed.stdout
    checked = data("check", tmp_path / "photos.pack")
    assert (checked.returncode, checked.stderr) == (0, "")
    assert checked.stdout.endswith("nothing would end a job\n")


def test_a_check_says_what_would_end_a_job_and_ends_with_1(photos: Path) -> None:
    os.rename(photos / "train/cat/00.png", photos / "train/cat/\x1b[31m.png")
    (photos / "train/cat/\x1b[31m.png").write_bytes(b"no picture")
    checked = data("check", photos)
    assert checked.returncode == 1
    assert r"error: train/cat/\x1b[31m.png (train split) is not a readable" in checked.stdout
    assert checked.stdout.endswith("a job with this data would fail\n")


def test_a_path_may_begin_with_a_dash(
    photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    os.rename(photos, tmp_path / "-photos")
    monkeypatch.chdir(tmp_path)
    packed = data("pack", "./-photos", "./-photos.pack", "--processes=1")
    assert (packed.returncode, packed.stderr) == (0, "")
    assert data("check", "./-photos.pack").stdout.endswith("nothing would end a job\n")


def test_what_is_not_there_is_a_sentence(photos: Path) -> None:
    missing = data("check", photos / "nowhere")
    assert (missing.returncode, missing.stdout) == (1, "")
    assert missing.stderr.endswith("nowhere does not exist: name a folder or a pack\n")
