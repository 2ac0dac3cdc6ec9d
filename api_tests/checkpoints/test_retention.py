"""What stays, what goes, and what a power cut in between leaves."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from api_tests.checkpoints.folders import RecordingDisk, attempt_folder, power_cuts, save
from workers.checkpoints.folder import checkpoints_in, sweep_stale, verify
from workers.checkpoints.retention import retain

ERRORS = {1: 0.5, 2: 0.1, 3: 0.4, 4: 0.3, 5: 0.2}


@pytest.fixture
def volume(tmp_path: Path) -> Path:
    """Five training checkpoints with an error each, and final weights."""
    folder = attempt_folder(tmp_path / "volume")
    for step, error in ERRORS.items():
        save(folder, step, metrics={"top1_error": error})
    save(folder, 5, phase="final", checkpoint_id="ckpt_final", metrics={"top1_error": 0.9})
    return tmp_path / "volume"


def _retain(volume: Path, **limits: Any) -> list[str]:
    limits = {"keep_last": 2, "keep_best": 1, "metric": "top1_error"} | limits
    return retain([attempt_folder(volume)], **limits)


def _left(volume: Path) -> list[str]:
    return [manifest.checkpoint_id for _, manifest in checkpoints_in(volume)]


def test_the_newest_the_best_and_the_final_stay(volume: Path) -> None:
    assert _retain(volume) == ["ckpt_1", "ckpt_3"]
    assert _left(volume) == ["ckpt_2", "ckpt_4", "ckpt_5", "ckpt_final"]


def test_what_is_protected_stays(volume: Path) -> None:
    assert _retain(volume, protected={"ckpt_1"}) == ["ckpt_3"]


def test_a_checkpoint_that_was_not_measured_is_no_best_one(volume: Path) -> None:
    save(attempt_folder(volume), 6)
    save(attempt_folder(volume), 7, metrics={"top1_error": float("nan")})
    save(attempt_folder(volume), 8)
    assert "ckpt_7" in _retain(volume, keep_last=1, keep_best=4)
    assert _left(volume) == ["ckpt_2", "ckpt_3", "ckpt_4", "ckpt_5", "ckpt_final", "ckpt_8"]


def test_nothing_goes_while_the_newest_is_damaged(volume: Path) -> None:
    (attempt_folder(volume) / "step-000000005" / "rank-0.json").unlink()
    assert _retain(volume) == []
    assert len(_left(volume)) == 6


def test_a_later_attempt_that_went_back_is_the_newer_one(volume: Path) -> None:
    later = attempt_folder(volume, 2)
    save(later, 2, attempt=2, checkpoint_id="ckpt_later", metrics={})
    folders = [attempt_folder(volume), later]
    retain(folders, keep_last=1, keep_best=0, metric="top1_error")
    assert _left(volume) == ["ckpt_later", "ckpt_final"]


def test_at_every_prefix_of_a_purge_each_checkpoint_is_whole_or_absent(
    volume: Path, tmp_path: Path
) -> None:
    before = tmp_path / "before"
    shutil.copytree(volume, before)
    disk = RecordingDisk()
    gone = _retain(volume, disk=disk)
    for _, left in power_cuts(before, volume, disk.operations, tmp_path / "left"):
        found = checkpoints_in(left)
        assert all(verify(folder) == [] for folder, _ in found)
        assert {"ckpt_2", "ckpt_4", "ckpt_5", "ckpt_final"} <= set(_left(left))
        # The next sweep and the next retention mend what is left.
        sweep_stale(attempt_folder(left))
        _retain(left)
        assert not set(gone) & set(_left(left))
        assert not list(left.rglob(".tmp-*"))
