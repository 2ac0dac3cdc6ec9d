"""The fingerprint of a run's data: in each checkpoint, and compared when a run is resumed."""

import hashlib
import json
import shutil
from pathlib import Path

import pytest

from api_tests.support.attempts import (
    as_checkpoint,
    attempt,
    draw_photos,
    ended,
    final_folder,
    resumable,
    run,
    train_spec,
)
from api_tests.support.other_images import second_rank_without_bmp
from service.contract.agent import ReportedEvent
from workers.data.fingerprint import DATA_FILE, read_run_data

pytestmark = pytest.mark.xdist_group("training")


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A volume with a training that has saved some states."""
    volume = tmp_path_factory.mktemp("trained")
    draw_photos(volume)
    run(attempt(volume, spec=train_spec(bn_recalibration_iters=0)))
    return volume


@pytest.fixture
def volume(trained: Path, tmp_path: Path) -> Path:
    return shutil.copytree(trained, tmp_path / "volume")


def resumed(volume: Path, **how: int) -> list[ReportedEvent]:
    """The events of a second attempt, from the last state but one."""
    spec = train_spec(bn_recalibration_iters=0)
    return run(attempt(volume, 2, spec=spec, resume=resumable(volume)[1:2]), **how)


def notes(events: list[ReportedEvent]) -> list[str]:
    return [event.body["message"] for event in events if event.kind == "note"]


def test_every_checkpoint_and_the_start_have_the_fingerprint_of_the_data(volume: Path) -> None:
    of_final, of_state = (
        read_run_data(folder)
        for folder in (final_folder(volume), volume / resumable(volume)[0].path)
    )
    assert of_final is not None
    assert of_final == of_state
    train = of_final.splits["train"]
    sizes = [path.stat().st_size for path in (volume / "train").rglob("*.png")]
    assert (train.images, train.size_bytes) == (20, sum(sizes))
    assert {name: each.images for name, each in train.classes.items()} == {"cat": 10, "dog": 10}
    events = resumed(volume)
    assert notes(events) == []
    (started,) = [event.body for event in events if event.kind == "started"]
    for sentence, split in zip(started["data"], ("train", "val"), strict=True):
        assert sentence.endswith(f"sha256 {of_final.splits[split].sha256[:16]}")
    assert started["splits"] == [
        {"name": split, "images": fingerprint.images, "classes": len(fingerprint.classes)}
        for split, fingerprint in of_final.splits.items()
    ]


def test_a_change_of_the_training_data_is_counted_and_ends_exactness(volume: Path) -> None:
    shutil.copy(volume / "train" / "cat" / "00.png", volume / "train" / "cat" / "new.png")
    (volume / "train" / "dog" / "01.png").rename(volume / "train" / "dog" / "renamed.png")
    (note,) = notes(resumed(volume))
    assert "on other training data (21 images, not 20; " in note
    assert "2 of 2 classes differ: cat has 11, not 10; dog has other file names or sizes)" in note
    assert "equality bit for bit cannot be promised" in note


def test_a_change_of_the_validation_data_is_counted_and_said_to_spoil_comparisons(
    volume: Path,
) -> None:
    (volume / "val" / "cat" / "00.png").unlink()
    (note,) = notes(resumed(volume))
    assert "the validation data is not that of step" in note
    assert "5 images, not 6" in note
    assert "1 of 2 classes differs: cat has 2, not 3)" in note
    assert "bit for bit" not in note


def test_a_checkpoint_of_an_older_version_is_resumed_and_said_to_have_no_fingerprint(
    volume: Path,
) -> None:
    state = volume / resumable(volume)[1].path
    forget_data(state)
    events = resumed(volume)
    assert ended(events)["outcome"] == "succeeded"
    assert "does not say what data it was trained on" in notes(events)[0]


def forget_data(folder: Path) -> None:
    """As a version that knew no fingerprints has written the folder."""
    (folder / DATA_FILE).unlink()
    manifest = json.loads((folder / "manifest.json").read_text())
    del manifest["files"][DATA_FILE]
    body = json.dumps(manifest).encode()
    (folder / "manifest.json").write_bytes(body)
    line = f"{hashlib.sha256(body).hexdigest()}  manifest.json\n"
    (folder / "manifest.sha256").write_text(line)


def test_a_state_of_another_job_is_trained_on_with_other_data_and_the_history_says_so(
    volume: Path,
) -> None:
    state = resumable(volume)[1]
    (volume / "train" / "cat" / "00.png").unlink()
    spec = train_spec(bn_recalibration_iters=0)
    spec["init_from"] = {"id": state.id, "state": "full"}
    weights = as_checkpoint(volume, volume / state.path)
    events = run(attempt(volume, job_id="job_2", spec=spec, weights=weights))
    assert "19 images, not 20" in notes(events)[0]


def test_ranks_that_see_other_images_are_refused_with_the_numbers(volume: Path) -> None:
    shutil.copy(volume / "train" / "cat" / "00.png", volume / "train" / "cat" / "00.bmp")
    last = ended(run(attempt(volume, 2), ranks=2, before=second_rank_without_bmp))
    assert (last["outcome"], last["reason"]) == ("failed", "invalid_data")
    assert "rank 1 has other train images than rank 0: 20 of 98160 bytes, not 21" in last["message"]
