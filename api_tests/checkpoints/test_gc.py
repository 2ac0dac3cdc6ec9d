"""What nobody needs goes, what anybody needs stays, and a kill in between is mended."""

from typing import Any

import pytest

from api_tests.support.checkpoint_folders import DyingDisk, Killed, RecordingDisk, attempt_folder
from api_tests.support.checkpoint_volume import NOW, Volume, flip_a_bit
from api_tests.support.rows import ensure_worker
from service.contract.checkpoints import CheckpointChange
from service.contract.jobs import Attempt
from service.control.checkpoints import index as checkpoints
from service.store import attempts
from service.store import checkpoints as index

ERRORS = {1: 0.5, 2: 0.1, 3: 0.4, 4: 0.3, 5: 0.2}
KEPT = ["final-000000005", "step-000000002", "step-000000004", "step-000000005"]


@pytest.fixture
def full(volume: Volume) -> Volume:
    """An ended job with five training checkpoints and final weights; two of them are surplus."""
    volume.submit()
    for step, error in ERRORS.items():
        volume.save(step, error)
    volume.save(5, 0.2, phase="final", checkpoint_id="ckpt_final")
    volume.reindex()
    volume.end()
    return volume


def test_the_newest_the_best_and_the_final_stay(full: Volume) -> None:
    removed = full.collector().collect(dry_run=False)
    assert [g.checkpoint_id for g in removed] == ["ckpt_3", "ckpt_1"]
    assert full.names() == KEPT
    assert [id_ for id_, state in full.states().items() if state == "purged"] == [
        "ckpt_1",
        "ckpt_3",
    ]


def test_a_dry_run_tells_the_same_and_touches_nothing(full: Volume) -> None:
    (attempt_folder(full.folder) / ".tmp-cut").mkdir()
    names, states = full.names(), full.states()
    planned = full.collector().collect(dry_run=True)
    assert (full.names(), full.states()) == (names, states)
    assert full.collector().collect(dry_run=False) == planned
    assert all(garbage.bytes > 0 for garbage in planned if garbage.checkpoint_id)


def test_nothing_goes_while_the_job_lives(volume: Volume) -> None:
    volume.submit()
    for step in ERRORS:
        volume.save(step)
    volume.reindex()
    assert volume.collector().collect(dry_run=False) == []


@pytest.mark.parametrize("protection", [{"pinned": True}, {"tags": ("paper",)}])
def test_what_is_pinned_or_tagged_stays(full: Volume, protection: dict[str, Any]) -> None:
    with full.database.write() as tx:
        checkpoints.change(tx, "ckpt_1", CheckpointChange.model_validate(protection))
    full.collector().collect(dry_run=False)
    assert full.names() == [*KEPT[:1], "step-000000001", *KEPT[1:]]


def test_what_a_live_job_starts_from_stays_until_it_has_ended(full: Volume) -> None:
    full.submit("job_2", kind="eval", checkpoint={"id": "ckpt_1"})
    full.collector().collect(dry_run=False)
    assert "step-000000001" in full.names()
    full.end("job_2")
    full.collector().collect(dry_run=False)
    assert full.names() == KEPT


def test_nothing_goes_while_the_newest_is_damaged(full: Volume) -> None:
    names = full.names()
    flip_a_bit(attempt_folder(full.folder) / "step-000000005")
    assert full.collector().collect(dry_run=False) == []
    assert full.names() == names
    assert full.states()["ckpt_5"] == "damaged"


def test_an_orphan_goes_if_retention_would_let_it_go(full: Volume) -> None:
    full.collector().collect(dry_run=False)
    later = {"attempt": 2, "checkpoint_id": "ckpt_orphan"}
    full.save(3, 0.45, **later)
    (removed,) = full.collector().collect(dry_run=False)
    assert removed.path == "jobs/job_1/attempts/2/step-000000003"
    assert full.names() == KEPT


@pytest.mark.parametrize(
    "orphan",
    [
        {"step": 6},
        {"step": 3, "error": 0.01},
        {"step": 3, "phase": "final"},
    ],
    ids=["newer", "better", "final"],
)
def test_an_orphan_that_may_be_worth_something_stays(full: Volume, orphan: dict[str, Any]) -> None:
    full.collector().collect(dry_run=False)
    folder = full.save(attempt=2, checkpoint_id="ckpt_orphan", **orphan)
    assert full.collector().collect(dry_run=False) == []
    assert folder.exists()


def test_the_folders_of_a_job_that_the_index_does_not_know_stay(volume: Volume) -> None:
    folders = [volume.save(step) for step in ERRORS]
    (attempt_folder(volume.folder) / ".tmp-cut").mkdir()
    assert volume.collector().collect(dry_run=False) == []
    assert all(folder.exists() for folder in folders)


def test_stale_stages_go_and_those_of_a_live_attempt_stay(volume: Volume) -> None:
    volume.submit()
    for number, state in ((1, "lost"), (2, "running")):
        attempt = {"job_id": "job_1", "number": number, "worker_id": "wrk_1", "state": state}
        with volume.database.write() as tx:
            a = Attempt.model_validate(attempt | {"created_at": NOW})
            ensure_worker(tx, "wrk_1")
            attempts.add(tx, a, token="secret", request_id=str(number))
        stage = attempt_folder(volume.folder, number) / f".tmp-{number}"
        stage.mkdir()
        (stage / "model.safetensors").write_bytes(b"half")
    (removed,) = volume.collector().collect(dry_run=False)
    assert (removed.path, removed.bytes) == ("jobs/job_1/attempts/1/.tmp-1", 4)
    assert volume.names() == [".tmp-2"]


def test_what_a_dead_worker_has_not_removed_is_finished_by_the_server(full: Volume) -> None:
    with full.database.write() as tx:
        index.mark(tx, ["ckpt_1", "ckpt_3"], "purging")
    assert [g.checkpoint_id for g in full.collector().finish()] == ["ckpt_1", "ckpt_3"]
    assert full.names() == KEPT
    assert full.collector().finish() == []


@pytest.fixture(scope="module")
def operations() -> int:
    """Of a removal: rename, sync, five files, a folder; two of them."""
    return 16


def test_a_removal_takes_as_many_operations_as_are_cut_below(full: Volume, operations: int) -> None:
    disk = RecordingDisk()
    full.collector(disk).collect(dry_run=False)
    assert len(disk.operations) == operations


@pytest.mark.parametrize("lives", range(16))
def test_a_collection_killed_between_any_two_operations_is_mended_by_the_next(
    full: Volume, lives: int
) -> None:
    with pytest.raises(Killed):
        full.collector(DyingDisk(lives)).collect(dry_run=False)
    assert {name for name in full.names() if not name.startswith(".")} >= set(KEPT)
    full.collector().finish()
    assert full.names() == KEPT
    assert [id_ for id_, state in full.states().items() if state == "purged"] == [
        "ckpt_1",
        "ckpt_3",
    ]


def test_a_deletion_that_was_cut_off_is_finished(full: Volume) -> None:
    with full.database.write() as tx:
        checkpoints.request_delete(tx, "ckpt_2")
    full.collector().finish()
    assert "step-000000002" not in full.names()
    assert full.states()["ckpt_2"] == "purged"
