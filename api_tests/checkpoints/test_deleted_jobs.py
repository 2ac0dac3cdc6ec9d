"""What a deleted job leaves on the volume: nothing but the checkpoints that are kept."""

from pathlib import Path

import pytest

from api_tests.support.checkpoint_folders import DyingDisk, Killed, attempt_folder
from api_tests.support.checkpoint_volume import Volume
from service.contract.checkpoints import tensorboard_path
from service.control.jobs import edits
from service.store import checkpoints as index
from service.volume.folder import verify

OPERATIONS = 23
"""A checkpoint's eight; the log, the events, the spec; a file and its folder; a stage and its file;
the second attempt's log; the file for TensorBoard and its two folders; and what is empty then: both
attempts, their folder, the job's."""


@pytest.fixture
def ended(volume: Volume) -> Volume:
    """A job with two attempts, a checkpoint at step 1, and what else they leave."""
    volume.submit()
    volume.save(1)
    volume.reindex()
    volume.end()
    first, second = (attempt_folder(volume.folder, number) for number in (1, 2))
    for name in ("log.txt", "events.jsonl", "spec.json"):
        (first / name).write_text("said")
    (second / "log.txt").write_text("said")
    for_tensorboard = volume.folder / tensorboard_path("job_1") / "run"
    for_tensorboard.mkdir(parents=True)
    (for_tensorboard / "events.out.tfevents.1").write_text("said")
    for folder in (first / "files", first / ".tmp-step-000000002"):
        folder.mkdir()
        (folder / "half").write_text("said")
    return volume


def delete(volume: Volume) -> None:
    with volume.database.write() as tx:
        edits.delete(tx, "job_1")


def test_a_deleted_job_leaves_nothing(ended: Volume) -> None:
    delete(ended)
    planned = ended.collector().collect(dry_run=True)
    assert ended.collector().finish_job("job_1") == planned
    assert [(found.path, found.checkpoint_id) for found in planned] == [
        ("jobs/job_1/attempts/1/step-000000001", "ckpt_1"),
        ("jobs/job_1", None),
    ]
    assert planned[1].bytes == 7 * len("said")
    assert list(ended.folder.glob("jobs/*")) == []
    assert ended.collector().finish() == []


def test_a_deleted_job_leaves_the_checkpoints_that_are_kept_and_nothing_else(
    ended: Volume,
) -> None:
    with ended.database.write() as tx:
        index.change(tx, "ckpt_1", pinned=True, tags=None)
    delete(ended)
    ended.collector().finish_job("job_1")
    (remaining,) = ended.folder.glob("jobs/*/attempts/*/*")
    assert remaining.name == "step-000000001"
    assert verify(remaining) == []


def test_nothing_goes_of_a_job_that_is_not_deleted(ended: Volume) -> None:
    before = ended.names()
    ended.collector().finish_job("job_1")
    assert {*before} - {*ended.names()} == {".tmp-step-000000002"}


def test_a_deletion_takes_as_many_operations_as_are_cut_below(ended: Volume) -> None:
    delete(ended)
    ended.collector(DyingDisk(OPERATIONS)).finish_job("job_1")
    assert list(ended.folder.glob("jobs/*")) == []


@pytest.mark.parametrize("lives", range(OPERATIONS))
def test_a_deletion_killed_between_any_two_operations_is_finished_by_the_next_sweep(
    ended: Volume, lives: int
) -> None:
    delete(ended)
    with pytest.raises(Killed):
        ended.collector(DyingDisk(lives)).finish_job("job_1")
    ended.collector().finish()
    assert list(ended.folder.glob("jobs/*")) == []
    assert ended.collector().finish() == []


@pytest.mark.parametrize("linked", ["jobs/job_1", "jobs/job_1/attempts", "jobs/job_1/attempts/1"])
def test_a_link_leads_a_deletion_nowhere(volume: Volume, tmp_path: Path, linked: str) -> None:
    volume.submit()
    volume.end()
    elsewhere = tmp_path / "elsewhere"
    for folder in (elsewhere, elsewhere / "1", elsewhere / "attempts" / "1"):
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "log.txt").write_text("another's")
    link = volume.folder / linked
    link.parent.mkdir(parents=True, exist_ok=True)
    link.symlink_to(elsewhere)
    delete(volume)
    volume.collector().finish_job("job_1")
    assert len(list(elsewhere.rglob("log.txt"))) == 3
