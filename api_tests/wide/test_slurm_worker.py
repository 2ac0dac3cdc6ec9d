"""A worker in a batch job of Slurm, started by deploy/slurm/worker.sh."""

import sys
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from api_tests.support.claims import LONG, a_claim
from api_tests.support.fake_control_plane import FakeControlPlane
from api_tests.support.polling import eventually
from api_tests.support.slurm import SlurmCluster
from api_tests.support.worker_process import all_ended, title_of
from service.contract.ids import new_id

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("whole machine")]

ROOT = Path(__file__).parents[2]
LEASE = {"heartbeat_seconds": 0.5}
SubmitWorker = Callable[..., str]


@pytest.fixture
def submit_worker(
    slurm: SlurmCluster, control_plane: FakeControlPlane, tmp_path: Path
) -> SubmitWorker:
    """Submits worker.sh with these flags of sbatch; gives the id of Slurm's job."""
    slurm.environment["PATH"] = f"{Path(sys.executable).parent}:{slurm.environment['PATH']}"
    slurm.environment |= {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}

    def submit(*flags: str) -> str:
        script = [str(ROOT / "deploy/slurm/worker.sh"), "--server", control_plane.url]
        folders = ("--volume", "--data-root", "--import-root")
        places = [part for name in folders for part in (name, str(tmp_path))]
        output = f"--output={tmp_path / 'slurm.out'}"
        return slurm.run("sbatch", "--parsable", output, *flags, *script, *places)

    return submit


def test_a_worker_in_a_batch_job_offers_its_nodes_and_trains_on_both(
    control_plane: FakeControlPlane, submit_worker: SubmitWorker, tmp_path: Path
) -> None:
    submit_worker()
    held = control_plane.offer(a_claim(new_id("job"), hosts=2, lease=LEASE))
    report = control_plane.report_of(held)
    assert report.outcome == "succeeded", report.message
    ((_, registration),) = control_plane.registered
    assert (registration.slots, registration.hosts) == (2, 2)
    (final,) = tmp_path.glob("jobs/*/attempts/*/final-*")
    ranks = {path.name for path in final.parent.glob("step-000000012/rank-*")}
    assert ranks == {"rank-0.json", "rank-1.json"}


def test_a_node_whose_process_is_killed_costs_the_job_no_failure(
    control_plane: FakeControlPlane, submit_worker: SubmitWorker
) -> None:
    submit_worker()
    job_id = new_id("job")
    held = control_plane.offer(a_claim(job_id, hosts=2, params=LONG, lease=LEASE))
    control_plane.wait_for(lambda: "progress" in held.kinds())
    (host,) = [
        each for each in psutil.process_iter() if title_of(each) == f"trainyard:host-1:{job_id}"
    ]
    host.kill()
    report = control_plane.report_of(held)
    assert (report.outcome, report.reason) == ("failed", "worker_lost")
    assert "host nb was lost" in (report.message or "")


def test_a_cancelled_batch_job_gives_its_job_back_with_a_checkpoint_and_stays_cancelled(
    slurm: SlurmCluster, control_plane: FakeControlPlane, submit_worker: SubmitWorker
) -> None:
    slurm_job = submit_worker()
    held = control_plane.offer(a_claim(new_id("job"), hosts=2, params=LONG, lease=LEASE))
    control_plane.wait_for(lambda: "progress" in held.kinds())
    slurm.run("scancel", slurm_job)
    assert control_plane.report_of(held).outcome == "released"
    assert "checkpoint" in held.kinds()
    control_plane.wait_for(lambda: control_plane.gone)
    eventually(lambda: slurm.job_state(slurm_job) == "CANCELLED")


def test_a_preempted_batch_job_saves_and_is_queued_again(
    slurm: SlurmCluster, control_plane: FakeControlPlane, submit_worker: SubmitWorker
) -> None:
    slurm_job = submit_worker()
    held = control_plane.offer(a_claim(new_id("job"), hosts=2, params=LONG, lease=LEASE))
    control_plane.wait_for(lambda: "progress" in held.kinds())
    urgent = slurm.run("sbatch", "--parsable", "-N2", "--partition=urgent", "--wrap=sleep 5")
    assert control_plane.report_of(held).outcome == "released"
    assert "checkpoint" in held.kinds()
    eventually(lambda: slurm.job_state(urgent) in ("RUNNING", "COMPLETED"))
    assert "Restarts=1" in slurm.run("scontrol", "show", "job", slurm_job)
    assert slurm.job_state(slurm_job) == "PENDING"


def test_a_worker_claims_nothing_that_its_time_limit_cannot_hold(
    control_plane: FakeControlPlane, submit_worker: SubmitWorker, tmp_path: Path
) -> None:
    control_plane.offer(a_claim(new_id("job")))
    submit_worker("--time=4")
    output = tmp_path / "slurm.out"
    eventually(lambda: output.exists() and '"is_now": "closing"' in output.read_text())
    assert control_plane.claim_requests == []


def test_a_worker_ends_before_its_time_limit_and_queues_its_batch_job_again(
    slurm: SlurmCluster, control_plane: FakeControlPlane, submit_worker: SubmitWorker
) -> None:
    slurm_job = submit_worker("--time=30")
    control_plane.wait_for(lambda: control_plane.registered)
    slurm.run("scontrol", "update", f"JobId={slurm_job}", "TimeLimit=2")
    control_plane.wait_for(lambda: control_plane.gone)
    eventually(lambda: "Restarts=1" in slurm.run("scontrol", "show", "job", slurm_job))


def test_a_killed_worker_leaves_no_rank(
    control_plane: FakeControlPlane, submit_worker: SubmitWorker
) -> None:
    submit_worker()
    job_id = new_id("job")
    held = control_plane.offer(a_claim(job_id, params=LONG, lease=LEASE))
    control_plane.wait_for(lambda: "progress" in held.kinds())
    processes = [each for each in psutil.process_iter() if title_of(each).endswith(job_id)]
    assert len(processes) > len(["rank"])
    (agent,) = [
        each
        for each in psutil.process_iter()
        if title_of(each) == "trainyard:agent"
        and any(title_of(child).startswith("srun ") for child in each.children())
    ]
    agent.kill()
    eventually(lambda: all_ended(processes))
