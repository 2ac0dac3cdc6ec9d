from collections.abc import Iterator
from pathlib import Path

import pytest

from api_tests.support.installation import PATIENT, TRAIN, Installation


@pytest.fixture
def installation(tmp_path: Path) -> Iterator[Installation]:
    """A control plane without workers."""
    installation = Installation(tmp_path)
    yield installation
    installation.close()


@pytest.fixture
def patient_installation(tmp_path: Path) -> Iterator[Installation]:
    """One whose trainings go on for a minute without it."""
    installation = Installation(tmp_path, **PATIENT)
    yield installation
    installation.close()


@pytest.fixture(scope="session")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The digest of the final weights of a run that nobody disturbed."""
    installation = Installation(tmp_path_factory.mktemp("undisturbed"))
    try:
        installation.start_worker()
        job = installation.client.wait(installation.client.submit(TRAIN).id, timeout_seconds=90)
        assert job.state == "succeeded", job.message
        return installation.final_digest(job.id)
    finally:
        installation.close()
