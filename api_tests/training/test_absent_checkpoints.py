"""What a worker does not see on its volume is absent for it, and not damaged for all."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from api_tests.support.attempts import (
    PARAMS,
    as_checkpoint,
    attempt,
    ended,
    final_folder,
    resumable,
    run,
)
from service.contract.agent import ReportedEvent
from service.contract.checkpoints import FileDigest
from service.volume.identity import IDENTITY_FILE

DIGITS = {"dataset": "digits"}
SPEC: dict[str, Any] = {
    "kind": "train",
    "recipe": "oneshot",
    "data": DIGITS,
    "params": PARAMS
    | {"total_iters": 3, "save_interval": 1, "val_interval": 3, "bn_recalibration_iters": 0},
}
CHANGED = FileDigest(bytes=1, sha256="0" * 64)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    volume = tmp_path_factory.mktemp("trained")
    assert ended(run(attempt(volume, spec=SPEC)))["outcome"] == "succeeded"
    return volume


@pytest.fixture
def volume(trained: Path, tmp_path: Path) -> Path:
    """A volume with the checkpoints of a training."""
    volume = shutil.copytree(trained, tmp_path / "volume")
    (volume / IDENTITY_FILE).write_text("vol_1\n")
    return volume


def test_a_resume_goes_past_what_it_does_not_see_and_marks_nothing(volume: Path) -> None:
    newest, *_ = resume = resumable(volume)
    shutil.rmtree(volume / newest.path)
    events = run(attempt(volume, 2, spec=SPEC, volume_id="vol_1", resume=resume))
    assert "damaged" not in kinds(events)
    assert f"{newest.path} is not on the volume" in events[0].body["message"]
    started = next(event for event in events if event.kind == "started")
    assert started.body["resumed_from"] == resume[1].id


def test_a_run_that_sees_none_of_its_checkpoints_does_not_begin_anew(volume: Path) -> None:
    resume = resumable(volume)
    shutil.rmtree(volume / "jobs")
    events = run(attempt(volume, 2, spec=SPEC, volume_id="vol_1", resume=resume))
    assert not {"damaged", "started"} & set(kinds(events))
    assert (ended(events)["outcome"], ended(events)["reason"]) == ("failed", "worker_unfit")


@pytest.mark.parametrize(
    ("problem", "volume_id", "reason"),
    [
        ("missing", "vol_1", "worker_unfit"),
        ("missing", "vol_other", "worker_unfit"),
        ("rewritten", "vol_other", "worker_unfit"),
        ("rewritten", "vol_1", "incompatible_checkpoint"),
    ],
)
def test_a_checkpoint_is_reported_as_damaged_only_where_the_volume_is_the_servers(
    volume: Path, problem: str, volume_id: str, reason: str
) -> None:
    source = final_folder(volume)
    weights = as_checkpoint(volume, source)
    if problem == "missing":
        shutil.rmtree(source)
    else:
        # As the index had it before weights and manifest were rewritten together.
        files = weights.files | {"model.safetensors": CHANGED}
        weights = weights.model_copy(update={"files": files})
    spec = {
        "kind": "eval",
        "recipe": "oneshot",
        "data": DIGITS,
        "params": {"image_size": 32},
        "checkpoint": {"id": weights.id},
    }
    job: dict[str, Any] = {"job_id": "job_2", "spec": spec, "weights": weights}
    events = run(attempt(volume, volume_id=volume_id, **job))
    assert ended(events)["reason"] == reason
    assert ("damaged" in kinds(events)) is (reason == "incompatible_checkpoint")


def kinds(events: list[ReportedEvent]) -> list[str]:
    return [event.kind for event in events]
