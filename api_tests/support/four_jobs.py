"""Four jobs that differ in all that a list can be narrowed by."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from api_tests.support.job_yard import JobYard
from service.store.engine import Database

FIRST, SECOND, THIRD, FOURTH = (f"job_{number:04d}" for number in range(1, 5))


@pytest.fixture(scope="module")
def four_jobs(
    shared_database: Database, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[JobYard]:
    """One yard of them for each database, for all tests of a file that change nothing."""
    yard = _yard(shared_database, tmp_path_factory.mktemp("yard"))
    yield yard
    yard.server.stop()


@pytest.fixture
def yard(database: Database, tmp_path: Path) -> Iterator[JobYard]:
    """A yard of them whose rows a test may change."""
    yard = _yard(database, tmp_path)
    yield yard
    yard.server.stop()


def _yard(database: Database, folder: Path) -> JobYard:
    yard = JobYard(database, folder)
    yard.submit(
        name="Straße 100%_A", labels={"team": "vision", "run": "a"}, params={"learning_rate": 0.5}
    )
    yard.submit(name="second", labels={"team": "Ünder"}, params={"save_interval": 100})
    yard.submit(recipe="shufflenet_v2", variant="1.0x", labels={"run": "a", "team": "vision"})
    check = {"kind": "check_data", "labels": {"quote": 'a"b: c'}}
    yard.http.post("/jobs", json=check | {"data": {"dataset": "digits"}}).raise_for_status()
    yard.http.post(f"/jobs/{SECOND}/pause").raise_for_status()
    yard.http.post(f"/jobs/{THIRD}/cancel").raise_for_status()
    return yard
