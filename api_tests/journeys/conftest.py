from collections.abc import Iterator
from pathlib import Path

import pytest

from api_tests.support.installation import TRAIN, Installation


@pytest.fixture
def yard(tmp_path: Path) -> Iterator[Installation]:
    """A control plane without workers."""
    yard = Installation(tmp_path)
    yield yard
    yard.close()


@pytest.fixture(scope="session")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The digest of the final weights of a run that nobody disturbed."""
    yard = Installation(tmp_path_factory.mktemp("undisturbed"))
    try:
        yard.start_worker()
        job = yard.client.wait(yard.client.submit(TRAIN).id, timeout_seconds=90)
        assert job.state == "succeeded", job.message
        return yard.final_digest(job.id)
    finally:
        yard.close()
