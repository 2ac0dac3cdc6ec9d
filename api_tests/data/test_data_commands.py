"""What the commands about data refuse before they read an image."""

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from api_tests.support.packs import draw_folders
from workers.data.__main__ import main


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    draw_folders(tmp_path)
    return tmp_path


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
