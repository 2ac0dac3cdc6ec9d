"""A worker that stands for the nodes of a Ray cluster."""

import signal
from pathlib import Path

import psutil
import pytest

from api_tests.support.claims import LONG, a_claim
from api_tests.support.fake_control_plane import FakeControlPlane
from api_tests.support.polling import eventually
from api_tests.support.ray_cluster import RayCluster
from api_tests.support.worker_fixtures import start_worker
from api_tests.support.worker_process import StartWorker, title_of
from service.contract.ids import new_id

__all__ = ["start_worker"]

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("whole machine")]

LEASE = {"heartbeat_seconds": 0.5}


@pytest.fixture
def flags(ray: RayCluster) -> list[str]:
    return ["--launcher", "ray", "--ray-address", ray.address]


# The fixture `flags` first: the control plane is to be in the cluster's network.
def test_a_worker_offers_the_nodes_and_its_job_goes_on_after_a_lost_host_process(
    flags: list[str], control_plane: FakeControlPlane, start_worker: StartWorker, tmp_path: Path
) -> None:
    start_worker(*flags)
    job_id = new_id("job")
    first = control_plane.offer(a_claim(job_id, hosts=2, params=LONG, lease=LEASE))
    control_plane.wait_for(lambda: "progress" in first.kinds())
    _process(f"host-1:{job_id}").kill()
    report = control_plane.report_of(first)
    assert (report.outcome, report.reason) == ("failed", "worker_lost")
    assert "host nb was lost" in (report.message or "")
    second = control_plane.offer(a_claim(job_id, attempt=2, hosts=2, lease=LEASE))
    report = control_plane.report_of(second)
    assert report.outcome == "succeeded", report.message
    registration = control_plane.registered[0][1]
    assert (registration.slots, registration.hosts) == (2, 2)
    (final,) = tmp_path.glob("jobs/*/attempts/2/final-*")
    ranks = {path.name for path in final.parent.glob("step-000000012/rank-*")}
    assert ranks == {"rank-0.json", "rank-1.json"}


def test_a_drained_worker_gives_its_job_back_with_a_checkpoint(
    flags: list[str], control_plane: FakeControlPlane, start_worker: StartWorker
) -> None:
    worker = start_worker(*flags)
    held = control_plane.offer(a_claim(new_id("job"), hosts=2, params=LONG, lease=LEASE))
    control_plane.wait_for(lambda: "progress" in held.kinds())
    worker.process.send_signal(signal.SIGTERM)
    assert control_plane.report_of(held).outcome == "released"
    assert "checkpoint" in held.kinds()
    assert worker.process.wait(60) == 0


def test_a_node_that_comes_is_registered_as_one_more_slot(
    flags: list[str], ray: RayCluster, control_plane: FakeControlPlane, start_worker: StartWorker
) -> None:
    start_worker(*flags)
    control_plane.wait_for(lambda: control_plane.registered)
    ray.add_node("nc")
    control_plane.wait_for(lambda: control_plane.registered[-1][1].hosts == 3)
    assert control_plane.registered[-1][1].slots == 3


def test_a_worker_without_gpus_offers_those_that_its_nodes_have(
    flags: list[str], ray: RayCluster, control_plane: FakeControlPlane, start_worker: StartWorker
) -> None:
    for node in ray.nodes:
        ray.kill_node(node)
    ray.add_node_with_gpus("ng")
    start_worker(*flags)
    # Not before Ray has missed the others, which have none.
    control_plane.wait_for(
        lambda: control_plane.registered and control_plane.registered[-1][1].gpus
    )
    registration = control_plane.registered[-1][1]
    assert [(gpu.name, gpu.problem) for gpu in registration.gpus] == [("H100", None)] * 2
    held = control_plane.offer(a_claim(new_id("job"), gpus=2, lease=LEASE))
    report = control_plane.report_of(held)
    # The node has none in truth, as its torch finds out.
    assert (report.outcome, report.reason) == ("failed", "worker_unfit"), report.message


def _process(part: str) -> psutil.Process:
    title = f"trainyard:{part}"
    eventually(lambda: any(title_of(each) == title for each in psutil.process_iter()))
    (process,) = [each for each in psutil.process_iter() if title_of(each) == title]
    return process
