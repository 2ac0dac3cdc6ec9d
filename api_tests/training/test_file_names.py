"""Names of files that are not UTF-8, as an archive from Windows has them, are names like others."""

import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from api_tests.support.attempts import (
    PHOTOS,
    as_checkpoint,
    attempt,
    draw_photos,
    ended,
    final_folder,
    resumable,
    run,
    train_spec,
)
from service.contract.agent import ReportedEvent
from workers.checkpoints.folder import read_manifest

pytestmark = pytest.mark.xdist_group("training")
CAFE = os.fsdecode(b"caf\xe9")
IMAGE = os.fsdecode(b"0\xff.png")
SHOWN = [r"caf\xe9", "cat"]


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A volume with a training whose class folder and one image are not UTF-8."""
    volume = tmp_path_factory.mktemp("trained")
    draw_photos(volume, classes=(CAFE, "cat"))
    (volume / "val" / CAFE / "00.png").rename(volume / "val" / CAFE / IMAGE)
    run(attempt(volume, spec=train_spec(bn_recalibration_iters=0)))
    return volume


@pytest.fixture
def volume(trained: Path, tmp_path: Path) -> Path:
    return shutil.copytree(trained, tmp_path / "volume")


def class_names(folder: Path) -> list[str]:
    manifest = read_manifest(folder)
    assert manifest is not None
    return list(manifest.class_names)


def notes(events: list[ReportedEvent]) -> list[str]:
    return [event.body["message"] for event in events if event.kind == "note"]


def test_a_training_saves_its_checkpoints_with_the_name_escaped(volume: Path) -> None:
    assert class_names(final_folder(volume)) == SHOWN
    log = (volume / "jobs/job_1/attempts/1/log.txt").read_bytes()
    assert b"Traceback" not in log


def test_a_training_goes_on_with_the_same_classes(volume: Path) -> None:
    shutil.rmtree(final_folder(volume))
    events = run(attempt(volume, number=2, resume=resumable(volume)))
    assert ended(events)["outcome"] == "succeeded"
    assert events[0].body["resumed_from"]
    assert not [note for note in notes(events) if "changed" in note or "differ" in note]
    assert class_names(final_folder(volume)) == SHOWN


def test_an_eval_matches_the_classes_by_name_and_names_its_images(volume: Path) -> None:
    weights = as_checkpoint(volume, final_folder(volume))
    spec: dict[str, Any] = {
        "kind": "eval",
        "recipe": "oneshot",
        "data": PHOTOS,
        "checkpoint": {"id": weights.id},
        "params": {},
    }
    result = ended(run(attempt(volume, job_id="job_2", spec=spec, weights=weights)))["result"]
    assert result["classes_matched_by"] == "name"
    written = (volume / "jobs/job_2/attempts/1/files/evaluation.json").read_text()
    evaluation = json.loads(written)
    assert evaluation["class_names"] == SHOWN
    others = {f"{name}/{number:02d}.png" for name in SHOWN for number in range(6)}
    assert {each["image"] for each in evaluation["wrong"]} <= {r"caf\xe9/0\xff.png"} | others


def test_an_image_of_such_a_name_that_does_not_decode_is_invalid_data(volume: Path) -> None:
    (volume / "val" / CAFE / IMAGE).write_bytes(b"no image")
    last = ended(run(attempt(volume, number=2, resume=resumable(volume))))
    assert last["reason"] == "invalid_data"
    assert r"val/caf\xe9/0\xff.png" in last["message"]


def test_two_class_folders_that_are_written_alike_are_refused(volume: Path) -> None:
    shutil.copytree(volume / "train" / CAFE, volume / "train" / r"caf\xe9")
    last = ended(run(attempt(volume, number=2)))
    assert last["reason"] == "invalid_data"
    assert r"2 class folders whose names are written caf\xe9" in last["message"]
