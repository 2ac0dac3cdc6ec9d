"""Fixtures: a Slurm of two nodes, an allocation of both, and a launcher in it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from api_tests.support.slurm import NODES, SlurmCluster, missing_for_slurm
from api_tests.support.wide_launches import StartLauncher, options_for
from api_tests.support.worker_fixtures import control_plane
from workers.launcher.slurm.launcher import SlurmLauncher

__all__ = ["control_plane"]


@pytest.fixture(scope="session")
def slurm_daemons(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SlurmCluster]:
    if missing := missing_for_slurm():
        pytest.skip(missing)
    cluster = SlurmCluster(tmp_path_factory.mktemp("slurm"))
    yield cluster
    cluster.close()


@pytest.fixture
def slurm(slurm_daemons: SlurmCluster, monkeypatch: pytest.MonkeyPatch) -> Iterator[SlurmCluster]:
    """No job of the test is left after it."""
    monkeypatch.setenv("SLURM_CONF", slurm_daemons.environment["SLURM_CONF"])
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[2]))
    yield slurm_daemons
    slurm_daemons.end_jobs()


@pytest.fixture
def start_launcher(slurm: SlurmCluster, monkeypatch: pytest.MonkeyPatch) -> Iterator[StartLauncher]:
    """Makes an allocation of both nodes with these flags, and a launcher for it."""
    launchers: list[SlurmLauncher] = []

    def start(rank_main: str, *flags: str) -> SlurmLauncher:
        monkeypatch.setenv("SLURM_JOB_ID", slurm.allocate(*flags))
        monkeypatch.setenv("SLURM_JOB_NODELIST", ",".join(NODES))
        launchers.append(SlurmLauncher(options_for(rank_main)))
        return launchers[-1]

    yield start
    for launcher in launchers:
        launcher.close()
