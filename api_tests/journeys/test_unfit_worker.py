"""A worker that lacks what it was to have."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from api_tests.support.installation import PARAMS, SHORT, TRAIN, Installation, until

PHOTOS = TRAIN | {
    "data": {"train_dir": "photos", "val_dir": "photos"},
    "params": PARAMS | SHORT,
    "max_failures": 0,
}


@pytest.fixture
def installation(tmp_path: Path) -> Iterator[Installation]:
    # Who waits for its next try lets the others have theirs.
    installation = Installation(tmp_path, RETRY_BACKOFF_SECONDS="10")
    yield installation
    installation.close()


def test_a_worker_whose_data_root_is_not_mounted_fails_no_job_and_is_quarantined(
    installation: Installation,
) -> None:
    for name in ("cat", "dog"):
        (installation.folder / "data" / "photos" / name).mkdir(parents=True)
        # Not of one colour: batch norm has nothing to divide by there.
        photo = Image.effect_noise((40, 40), sigma=64)
        photo.save(installation.folder / "data" / "photos" / name / "one.png")
    client = installation.client
    jobs = [client.submit(PHOTOS).id for _ in range(3)]
    installation.start_worker(DATA_ROOT=str(installation.folder / "not mounted"))
    until(lambda: [worker.state for worker in client.workers()] == ["quarantined"])
    (unfit,) = client.workers()
    assert f"cannot read its data root {installation.folder / 'not mounted'}" in str(unfit.message)
    assert {client.job(job_id).state for job_id in jobs} == {"queued"}
    installation.start_worker()
    for job_id in jobs:
        job = client.wait(job_id, timeout_seconds=90)
        assert (job.state, job.attempt) == ("succeeded", 2), job.message
