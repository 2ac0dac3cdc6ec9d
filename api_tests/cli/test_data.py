"""`trainyard data`: the commands that check and pack images on this machine."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest
import typer

from api_tests.support.attempts import draw_many, draw_photos
from service.cli.data_process import run_data_process


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
    packed = data("pack", "./-photos", "./-photos.pack", "--processes=1", "--json")
    assert (packed.returncode, packed.stderr) == (0, "")
    summary = json.loads(packed.stdout)
    assert (summary["object"], summary["path"]) == ("pack", "-photos.pack")
    assert (summary["images"], summary["resumed"]) == (26, 0)
    assert summary["pack_bytes"] == Path("./-photos.pack").stat().st_size
    assert data("check", "./-photos.pack").stdout.endswith("nothing would end a job\n")


def test_what_is_not_there_is_a_sentence(photos: Path) -> None:
    missing = data("check", photos / "nowhere")
    assert (missing.returncode, missing.stdout) == (1, "")
    assert missing.stderr.endswith("nowhere does not exist: name a folder or a pack\n")


@pytest.fixture
def many(tmp_path: Path) -> Path:
    """Images that take a core some seconds."""
    draw_many(tmp_path / "many", count=100)
    return tmp_path / "many"


def interrupted(
    arguments: list[str | Path], begun: Callable[[], bool], number: int
) -> tuple[int, str, str]:
    """A command that a signal ends while its two processes read: status, stdout and stderr."""
    command = [sys.executable, "-m", "service.cli", "data", *map(str, arguments), "--processes=2"]
    started: list[psutil.Process] = []
    with subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # Of a shell's background job it is ignored.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    ) as process:
        while len(started) < 3 or not begun():
            assert process.poll() is None, "it has ended already"
            if len(started) < 3:
                started = psutil.Process(process.pid).children(recursive=True)
            time.sleep(0.005)
        process.send_signal(number)
        stdout, stderr = process.communicate(timeout=60)
        assert not any(child.is_running() for child in started)
    return process.returncode, stdout, stderr


def test_a_packing_that_ctrl_c_ends_goes_on_with_the_images_that_are_left(
    many: Path, tmp_path: Path
) -> None:
    target, partial = tmp_path / "many.pack", tmp_path / "many.pack.partial"
    arguments: list[str | Path] = ["pack", many, target]
    # Of an image that is being written nothing is left: the first ones are whole by then.
    ended = interrupted(arguments, lambda: partial.stat().st_size > 400_000, signal.SIGINT)
    line = "trainyard: interrupted: the same command goes on with the images that are left\n"
    assert ended == (130, "", line)
    assert not target.exists()
    again = data(*arguments)
    assert again.returncode == 0
    assert int(again.stdout.split(" images, ")[1].split(" of them before")[0]) > 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["many", "many.pack"]


def test_a_check_that_a_signal_ends_says_so_and_leaves_no_process(many: Path) -> None:
    ended = interrupted(["check", many], lambda: True, signal.SIGTERM)
    assert ended == (143, "", "trainyard: interrupted\n")


def test_a_signal_that_comes_while_the_process_is_started_ends_it(
    photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    start = subprocess.Popen

    def signalled_start(*arguments: Any, **options: Any) -> "subprocess.Popen[bytes]":
        os.kill(os.getpid(), signal.SIGTERM)
        return start(*arguments, **options)

    monkeypatch.setattr(subprocess, "Popen", signalled_start)
    with pytest.raises(typer.Exit) as ended:
        run_data_process("check", "checked", ["check"], photos, interrupted="interrupted")
    assert ended.value.exit_code == 128 + signal.SIGTERM
