"""Fixtures: a Slurm and a Ray of two nodes each, and launchers for them."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from api_tests.support.ray_cluster import RayCluster, loopback_alone, missing_for_ray
from api_tests.support.slurm import NODES, SlurmCluster, missing_for_slurm
from api_tests.support.wide_launches import StartLauncher, StartRayLauncher, options_for
from api_tests.support.worker_fixtures import control_plane
from workers.launcher.ray.launcher import RayLauncher
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


@pytest.fixture(scope="module")
def ray_cluster() -> Iterator[RayCluster]:
    """One for all tests of a file, which run in its network."""
    if missing := missing_for_ray():
        pytest.skip(missing)
    with loopback_alone():
        cluster = RayCluster()
        yield cluster
        cluster.close()


@pytest.fixture
def ray(ray_cluster: RayCluster, monkeypatch: pytest.MonkeyPatch) -> RayCluster:
    """The cluster, with what its users have in their environment."""
    for name, text in ray_cluster.variables.items():
        monkeypatch.setenv(name, text)
    return ray_cluster


@pytest.fixture
def start_ray_launcher(ray: RayCluster) -> Iterator[StartRayLauncher]:
    """Makes a launcher for the cluster, whose ranks have this main function."""
    launchers: list[RayLauncher] = []

    def start(rank_main: str) -> RayLauncher:
        launchers.append(RayLauncher(options_for(rank_main, ray.address)))
        return launchers[-1]

    yield start
    for launcher in launchers:
        launcher.close()
