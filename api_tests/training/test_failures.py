"""What goes wrong has a reason, and a message that says what to change."""

import errno
import json
import os
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any
from zlib import crc32

import pytest

from api_tests.support.attempts import (
    attempt,
    draw_photos,
    ended,
    run,
    shown_step,
    start,
    train_spec,
    until,
    wait,
)
from service.volume.disk import Disk
from workers.checkpoints.folder import checkpoints_in, verify

pytestmark = pytest.mark.xdist_group("training")


@pytest.fixture
def volume(tmp_path: Path) -> Path:
    draw_photos(tmp_path)
    return tmp_path


def test_a_batch_larger_than_the_data_fails_with_what_to_change(volume: Path) -> None:
    last = ended(run(attempt(volume, spec=train_spec(batch_size=32))))
    assert (last["outcome"], last["reason"]) == ("failed", "invalid_data")
    assert "use at most 20" in last["message"]
    assert checkpoints_in(volume) == []


@pytest.mark.parametrize(
    ("wrong", "reason", "message"),
    [
        ({"recipe": "stranger"}, "worker_unfit", "there is no recipe 'stranger' here"),
        (
            {"batch_size": 0},
            "invalid_data",
            "invalid params: batch_size: Input should be greater than",
        ),
    ],
)
def test_a_spec_that_this_workers_recipes_do_not_take_ends_with_what_they_are(
    volume: Path, wrong: dict[str, Any], reason: str, message: str
) -> None:
    attempt_dir = attempt(volume)
    assignment = json.loads(attempt_dir.spec_path.read_text())
    spec = assignment["claim"]["spec"]
    (spec if "recipe" in wrong else spec["params"]).update(wrong)
    attempt_dir.spec_path.write_text(json.dumps(assignment))
    last = ended(run(attempt_dir))
    assert (last["outcome"], last["reason"]) == ("failed", reason)
    assert message in last["message"]


@pytest.mark.parametrize("data_workers", [0, 1])
def test_an_image_that_does_not_decode_is_named(volume: Path, data_workers: int) -> None:
    whole = (volume / "train" / "dog" / "03.png").read_bytes()
    # An empty colour profile after the pixels makes Pillow raise IndexError.
    broken = whole[:-12] + b"\0\0\0\0iCCP" + crc32(b"iCCP").to_bytes(4, "big") + whole[-12:]
    (volume / "train" / "dog" / "0\n3.png").write_bytes(broken)
    last = ended(run(attempt(volume, spec=train_spec(data_workers=data_workers))))
    assert (last["outcome"], last["reason"]) == ("failed", "invalid_data")
    problem = "is not a readable image (index out of range): replace or remove it"
    assert last["message"] == f"train/dog/0\\n3.png (train split) {problem}"


@pytest.mark.parametrize(
    ("data_workers", "leaves_its_folder", "message"),
    [
        (0, False, "cannot read its data root"),
        (1, False, "cannot read its data root"),
        (0, True, "is empty now: mount it again"),
    ],
)
def test_a_data_root_that_goes_away_in_the_middle_is_the_workers_fault(
    tmp_path: Path, data_workers: int, leaves_its_folder: bool, message: str
) -> None:
    volume, photos = tmp_path / "volume", tmp_path / "photos"
    draw_photos(photos)
    spec = train_spec(data_workers=data_workers, total_iters=10_000, save_interval=10_000)
    attempt_dir = attempt(volume, spec=spec, data_root=photos)
    processes = start(attempt_dir)
    until(lambda: shown_step(attempt_dir) >= 1, processes)
    photos.rename(tmp_path / "not mounted")
    if leaves_its_folder:
        photos.mkdir()
    wait(processes)
    last = ended(attempt_dir.events_after(0))
    assert (last["outcome"], last["reason"]) == ("failed", "worker_unfit")
    assert message in last["message"]
    assert str(photos) in last["message"]


def test_a_data_set_that_is_not_below_the_data_root_is_the_submissions_fault(
    tmp_path: Path,
) -> None:
    last = ended(run(attempt(tmp_path)))
    assert (last["outcome"], last["reason"]) == ("failed", "invalid_data")
    assert last["message"] == "train (train split): there is no such folder below the data root"


def test_a_data_root_that_is_empty_is_one_that_is_not_mounted(tmp_path: Path) -> None:
    photos = tmp_path / "photos"
    photos.mkdir()
    last = ended(run(attempt(tmp_path / "volume", data_root=photos)))
    assert last["reason"] == "worker_unfit"
    assert f"data root {photos} is empty now: mount it again" in last["message"]


@pytest.mark.parametrize(
    ("recipe", "variant", "image_size"),
    [("oneshot", "searched", 32), ("shufflenet_v2_plus", "small", 64)],
)
def test_one_image_that_gives_batch_norm_one_value_is_refused_whatever_the_network(
    volume: Path, recipe: str, variant: str, image_size: int
) -> None:
    # The squeeze-excite of the second network has one value of each channel at any size.
    spec = train_spec(recipe, batch_size=1, image_size=image_size) | {"variant": variant}
    last = ended(run(attempt(volume, spec=spec)))
    assert (last["outcome"], last["reason"]) == ("failed", "invalid_data")
    assert "use a batch_size of 2 or more" in last["message"]


def test_one_image_that_gives_batch_norm_enough_is_trained_on(volume: Path) -> None:
    spec = train_spec(batch_size=1, image_size=64, total_iters=1, bn_recalibration_iters=0)
    assert ended(run(attempt(volume, spec=spec)))["outcome"] == "succeeded"


def test_a_class_count_that_is_not_the_datas_is_said(volume: Path) -> None:
    last = ended(run(attempt(volume, spec=train_spec(num_classes=1000))))
    assert last["reason"] == "invalid_data"
    assert "num_classes is 1000, the data has 2" in last["message"]


def test_a_loss_that_is_no_number_ends_the_run_and_is_never_saved(volume: Path) -> None:
    spec = train_spec(learning_rate=100, total_iters=10_000, display_interval=5, save_interval=1)
    last = ended(run(attempt(volume, spec=spec)))
    assert (last["outcome"], last["reason"]) == ("failed", "non_finite_loss")
    assert "try a smaller learning_rate" in last["message"]


def refuse_final() -> None:
    """The disk is full once the final weights are to be published."""
    rename = Disk.rename

    def full(disk: Disk, source: Path, target: Path) -> None:
        if target.name.startswith("final-"):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(target))
        rename(disk, source, target)

    Disk.rename = full  # type: ignore[method-assign]


def refuse_first() -> None:
    """The disk is full for the first checkpoint, and has space again after it."""
    rename = Disk.rename
    targets: list[str] = []

    def full(disk: Disk, source: Path, target: Path) -> None:
        targets.append(target.name)
        if len(targets) == 1:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(target))
        rename(disk, source, target)

    Disk.rename = full  # type: ignore[method-assign]


def refuse_all() -> None:
    """The volume takes no checkpoint, and is not full."""
    _refuse(lambda _: True)


def refuse_first_and_third() -> None:
    """The volume refuses two checkpoints with one between them, and is not full."""
    _refuse(lambda number: number in (1, 3))


def _refuse(refuses: Callable[[int], bool]) -> None:
    rename, numbers = Disk.rename, count(1)

    def broken(disk: Disk, source: Path, target: Path) -> None:
        if refuses(next(numbers)):
            raise OSError(errno.EIO, os.strerror(errno.EIO), str(target))
        rename(disk, source, target)

    Disk.rename = broken  # type: ignore[method-assign]


def test_a_run_whose_saves_fail_says_so_at_the_first_and_stops_at_the_second_of_that_kind(
    volume: Path,
) -> None:
    spec = train_spec(total_iters=10_000, save_interval=5, val_interval=10_000)
    events = run(attempt(volume, spec=spec), before=refuse_all)
    last = ended(events)
    assert (last["outcome"], last["reason"]) == ("failed", "crashed")
    assert "checkpoints cannot be saved" in last["message"]
    assert "Input/output error" in last["message"]
    notes = [event for event in events if event.kind == "note"]
    assert len(notes) == 2
    assert max(event.body["step"] for event in events if event.kind == "progress") <= 15


def test_saves_that_fail_with_one_between_them_that_does_not_cost_no_run(volume: Path) -> None:
    spec = train_spec(save_interval=2, total_iters=8, bn_recalibration_iters=0)
    events = run(attempt(volume, spec=spec), before=refuse_first_and_third)
    assert len([event for event in events if event.kind == "note"]) == 2
    assert ended(events)["outcome"] == "succeeded"
    assert [manifest.step for _, manifest in checkpoints_in(volume)] == [4, 8, 8]


def test_final_weights_that_find_the_disk_full_fail_as_disk_full(volume: Path) -> None:
    last = ended(run(attempt(volume), before=refuse_final))
    assert (last["outcome"], last["reason"]) == ("failed", "disk_full")
    assert "free some space" in last["message"]
    assert [manifest.phase for _, manifest in checkpoints_in(volume)] == [
        "train",
        "train",
        "train",
        "recalibrate",
        "recalibrate",
    ]
    assert not list(volume.rglob(".tmp-*"))


def test_a_save_that_finds_the_disk_full_is_told_and_the_run_goes_on(volume: Path) -> None:
    events = run(attempt(volume), before=refuse_first)
    assert ended(events)["outcome"] == "succeeded"
    (note,) = [event.body["message"] for event in events if event.kind == "note"]
    assert "No space left on device" in note
    found: list[Any] = checkpoints_in(volume)
    assert [manifest.step for _, manifest in found] == [6, 8, 9, 12, 12]
    assert all(verify(folder) == [] for folder, _ in found)
    assert found[0][1].parent_checkpoint is None
