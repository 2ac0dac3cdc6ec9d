"""`kill -9` in the middle of a training: the final weights are those of a run left alone."""

import psutil
import pytest

from api_tests.support.event_files import points_of, runs_in
from api_tests.support.installation import TRAIN, Installation, kill, rank_of, until
from api_tests.support.processes import lives
from service.contract.checkpoints import tensorboard_path

# One after another: their leases are of seconds, and each needs the machine's cores.
pytestmark = pytest.mark.xdist_group("whole machine")


def _ends_undisturbed(installation: Installation, job_id: str, undisturbed: str) -> int:
    job = installation.client.wait(job_id, timeout_seconds=90)
    assert job.state == "succeeded", job.message
    assert installation.final_digest(job_id) == undisturbed
    resumed = [e for e in installation.client.events(job_id) if "resumed at step" in e.message]
    assert len(resumed) == job.attempt - 1
    return job.attempt


def test_a_killed_rank(installation: Installation, undisturbed: str) -> None:
    worker = installation.start_worker()
    job_id = installation.client.submit(TRAIN).id
    installation.running_past(job_id, 10)
    rank_of(worker).kill()
    assert _ends_undisturbed(installation, job_id, undisturbed) == 2
    messages = [e.message for e in installation.client.events(job_id) if e.kind == "requeued"]
    assert "killed (signal 9)" in messages[0]
    _tensorboard_shows_one_run(installation, job_id)


def _tensorboard_shows_one_run(installation: Installation, job_id: str) -> None:
    """Its attempts joined, with the points that the API has, each step once."""
    (run,) = runs_in(installation.volume)
    assert run.parent == installation.volume / tensorboard_path(job_id)
    assert len(list(run.iterdir())) == 2
    series = installation.client.metrics(job_id, max_points=10_000)
    for name, tag in (("loss", "loss/train"), ("top1_error", "top1_error/validation")):
        assert points_of(run, tag) == [(step, pytest.approx(value)) for step, value in series[name]]


def test_a_killed_worker_that_is_started_again_goes_on_at_once(
    installation: Installation, undisturbed: str
) -> None:
    worker = installation.start_worker()
    job_id = installation.client.submit(TRAIN).id
    installation.running_past(job_id, 10)
    family = psutil.Process(worker.pid).children(recursive=True)
    kill(worker)
    assert family
    until(lambda: not any(lives(process) for process in family), patience_seconds=2)
    installation.start_worker()
    assert _ends_undisturbed(installation, job_id, undisturbed) == 2


def test_a_killed_worker_is_replaced_by_another_when_its_lease_has_run_out(
    installation: Installation, undisturbed: str
) -> None:
    worker = installation.start_worker()
    job_id = installation.client.submit(TRAIN).id
    installation.running_past(job_id, 10)
    # Started before the death, so that nobody can say for sure that the other is gone.
    installation.start_worker()
    log = installation.folder / "worker.log"
    until(lambda: log.read_text().count("catalog_sent") == 2)
    kill(worker)
    assert _ends_undisturbed(installation, job_id, undisturbed) == 2
    kinds = [event.kind for event in installation.client.events(job_id)]
    assert kinds.index("unreachable") < kinds.index("requeued")


def test_a_killed_server_that_is_started_again(
    patient_installation: Installation, undisturbed: str
) -> None:
    patient_installation.start_worker()
    job_id = patient_installation.client.submit(TRAIN).id
    patient_installation.running_past(job_id, 10)
    kill(patient_installation.server)
    patient_installation.start_server()
    assert _ends_undisturbed(patient_installation, job_id, undisturbed) == 1


def test_everything_killed_at_once(installation: Installation, undisturbed: str) -> None:
    worker = installation.start_worker()
    job_id = installation.client.submit(TRAIN).id
    installation.running_past(job_id, 10)
    kill(installation.server)
    kill(worker)
    installation.start_server()
    installation.start_worker()
    assert _ends_undisturbed(installation, job_id, undisturbed) == 2
