from collections.abc import Iterator

import pytest

from api_tests.support.fake_mlflow import FakeMlflow
from api_tests.support.mirrored_jobs import MirroredJobs
from api_tests.support.sweeps import Sweeps
from api_tests.support.use_case_fixtures import agent, control_plane, narrow, new_agent
from api_tests.support.use_cases import ControlPlane
from service.store.engine import Database

__all__ = ["agent", "control_plane", "narrow", "new_agent"]


@pytest.fixture
def sweeps(control_plane: ControlPlane) -> Sweeps:
    """The use cases of sweeps."""
    return Sweeps(control_plane)


@pytest.fixture
def mirrored(database: Database) -> Iterator[MirroredJobs]:
    """Jobs that are shown in a fake MLflow."""
    mlflow = FakeMlflow()
    mirrored = MirroredJobs(database, mlflow)
    yield mirrored
    mirrored.close()
    mlflow.gate.set()
    mlflow.stop()
