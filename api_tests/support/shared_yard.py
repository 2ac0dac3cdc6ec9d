"""The fixture of tests of a file that share a server, over a database of each kind."""

from collections.abc import Iterator

import pytest

from api_tests.support.job_yard import JobYard
from service.store.engine import Database


@pytest.fixture(scope="module")
def yard(shared_database: Database, tmp_path_factory: pytest.TempPathFactory) -> Iterator[JobYard]:
    """One of each database for all tests of a file: each has jobs, labels and keys of its own."""
    yard = JobYard(shared_database, tmp_path_factory.mktemp("yard"))
    yield yard
    yard.server.stop()
