"""The folders are the data, the table is their index: it can be made again from them."""

import shutil

import pytest

from api_tests.support.checkpoint_folders import attempt_folder
from api_tests.support.checkpoint_volume import NOW, Volume, flip_a_bit
from api_tests.support.rows import ensure_worker
from service.contract.checkpoints import Checkpoint
from service.contract.jobs import Job
from service.control.checkpoints import index
from service.control.checkpoints.reindex import ReindexResult
from service.control.jobs import views
from service.store import attempts
from service.store.checkpoint_search import CheckpointFilter
from service.volume.folder import read_manifest


def test_a_lost_index_is_made_again_and_its_jobs_appear_as_imported(volume: Volume) -> None:
    folders = [volume.save(1, 0.5), volume.save(2, 0.25, attempt=2)]
    volume.save(2, 0.25, phase="final", checkpoint_id="ckpt_final", attempt=2)
    result = volume.reindex()
    assert (result.jobs, result.adopted) == (["job_1"], ["ckpt_1", "ckpt_2", "ckpt_final"])
    job = job_of(volume)
    assert (job.kind, job.state, job.recipe, job.attempt) == ("import", "succeeded", "oneshot", 2)
    assert (job.latest_checkpoint, job.best_checkpoint) == ("ckpt_final", "ckpt_final")
    found = volume.get("ckpt_1")
    manifest = read_manifest(folders[0])
    assert manifest is not None
    path = str(folders[0].relative_to(volume.folder))
    expected = Checkpoint.of(manifest, path, manifest.created_at)
    assert found == expected.model_copy(update={"manifest": manifest.model_dump(mode="json")})


def test_a_second_reindexing_changes_nothing(volume: Volume) -> None:
    volume.save(1, 0.5)
    flip_a_bit(volume.save(2))
    assert volume.reindex().adopted == ["ckpt_1"]
    before = (job_of(volume), volume.get("ckpt_1"), volume.names())
    again = volume.reindex()
    assert ReindexResult(left=again.left) == again
    assert (job_of(volume), volume.get("ckpt_1"), volume.names()) == before


def test_a_damaged_folder_is_not_adopted_and_is_told_of(volume: Volume) -> None:
    volume.save(1)
    flip_a_bit(volume.save(2))
    result = volume.reindex()
    assert result.adopted == ["ckpt_1"]
    assert result.left == [
        "jobs/job_1/attempts/1/step-000000002 is not whole: model.safetensors has another sha256"
    ]


def test_a_known_job_is_given_the_checkpoint_that_was_never_reported(volume: Volume) -> None:
    volume.submit()
    volume.save(3, 0.25)
    assert volume.reindex().jobs == []
    job = job_of(volume)
    assert (job.kind, job.state, job.latest_checkpoint) == ("train", "queued", "ckpt_3")
    # The next claim makes a folder that is not there yet.
    assert job.attempt == 1


def test_what_a_live_attempt_has_not_told_of_yet_is_left_to_it(volume: Volume) -> None:
    volume.submit()
    volume.save(3)
    with volume.database.write() as tx:
        attempt = {"job_id": "job_1", "number": 1, "worker_id": "wrk_1", "created_at": NOW}
        a_live_one = attempts.Attempt.model_validate(attempt | {"state": "running"})
        ensure_worker(tx, "wrk_1")
        attempts.add(tx, a_live_one, token="secret", request_id="r")
    result = volume.reindex()
    assert result.adopted == []
    assert "still running" in result.left[0]


@pytest.mark.parametrize("harm", [flip_a_bit, shutil.rmtree])
def test_an_entry_whose_folder_is_not_whole_is_damaged_until_it_is_back(
    volume: Volume, harm: object
) -> None:
    folder = volume.save(2)
    volume.save(1)
    volume.reindex()
    shutil.copytree(folder, volume.folder / "backup")
    assert callable(harm)
    harm(folder)
    assert volume.reindex().damaged == ["ckpt_2"]
    assert volume.get("ckpt_2").state == "damaged"
    assert job_of(volume).latest_checkpoint == "ckpt_1"
    shutil.rmtree(folder, ignore_errors=True)
    (volume.folder / "backup").rename(folder)
    assert volume.reindex().healed == ["ckpt_2"]
    assert job_of(volume).latest_checkpoint == "ckpt_2"


def test_a_volume_that_is_not_mounted_is_refused(volume: Volume) -> None:
    volume.save(1)
    volume.reindex()
    (volume.folder / "jobs").rename(volume.folder / "unmounted")
    with pytest.raises(FileNotFoundError, match="is the volume mounted"):
        volume.reindex()
    assert volume.get("ckpt_1").state == "published"


def test_the_latest_of_the_index_is_that_of_the_volume(volume: Volume) -> None:
    for step in (9, 10, 100):
        volume.save(step)
    flip_a_bit(attempt_folder(volume.folder) / "step-000000100")
    volume.reindex()
    with volume.database.read() as tx:
        assert index.latest(tx, CheckpointFilter(job="job_1")).step == 10


def job_of(volume: Volume) -> Job:
    with volume.database.read() as tx:
        return views.get(tx, "job_1")
