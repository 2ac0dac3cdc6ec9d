"""Wall clocks that jump by an hour in the middle of a training, ahead and back."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psutil
import pytest

from api_tests.support.installation import TRAIN, Installation, rank_of, until
from chaos.clock import set_ahead
from service.contract.jobs import Job

# One after another: their leases are of seconds, and each needs the machine's cores.
pytestmark = pytest.mark.xdist_group("whole machine")

HOUR_SECONDS = 3600.0


@pytest.fixture
def clock(tmp_path: Path) -> Path:
    return tmp_path / "clock"


@pytest.fixture
def installation(tmp_path: Path, clock: Path) -> Iterator[Installation]:
    installation = Installation(tmp_path, server="chaos.clocked_server", CLOCK=str(clock))
    yield installation
    installation.close()


def test_a_server_whose_clock_jumps_ahead_and_back_ends_the_job_once(
    installation: Installation, clock: Path, undisturbed: str
) -> None:
    worker = installation.start_worker()
    job_id = installation.client.submit(TRAIN).id
    installation.running_past(job_id, 10)
    with _held(rank_of(worker)):
        set_ahead(clock, HOUR_SECONDS)
        until(lambda: _heard_ahead(installation))
        recorded = installation.client.job(job_id).latest_checkpoint
    # The next checkpoint says that the attempt kept its lease, or that another was given one.
    until(lambda: installation.client.job(job_id).latest_checkpoint != recorded)
    tries = installation.client.job(job_id).attempt
    with _held(rank_of(worker)):
        set_ahead(clock, 0)
        until(lambda: not _heard_ahead(installation))
    job = _ended_once(installation, job_id, undisturbed)
    # The silence of an hour that never was may cost the lease; what goes back costs nothing.
    assert tries <= 2
    assert job.attempt == tries


def test_a_worker_whose_clock_jumps_ahead_and_back_goes_on_in_its_one_attempt(
    installation: Installation, tmp_path: Path, undisturbed: str
) -> None:
    clock = tmp_path / "clock of the worker"
    worker = installation.start_worker("chaos.clocked_worker", CLOCK=str(clock))
    job_id = installation.client.submit(TRAIN).id
    installation.running_past(job_id, 10)
    with _held(rank_of(worker)):
        set_ahead(clock, HOUR_SECONDS)
    installation.running_past(job_id, 20)
    with _held(rank_of(worker)):
        set_ahead(clock, -HOUR_SECONDS)
    job = _ended_once(installation, job_id, undisturbed)
    assert job.attempt == 1
    now = datetime.now(UTC)
    assert all(c.created_at <= now for c in installation.client.checkpoints(job=job_id))
    assert "eta -" not in installation.client.logs(job_id).text


def _ended_once(installation: Installation, job_id: str, undisturbed: str) -> Job:
    job = installation.client.wait(job_id, timeout_seconds=90)
    assert job.state == "succeeded", job.message
    assert installation.final_digest(job_id) == undisturbed
    kinds = [event.kind for event in installation.client.events(job_id)]
    assert kinds.count("succeeded") == 1
    assert kinds.count("claimed") == job.attempt
    return job


def _heard_ahead(installation: Installation) -> bool:
    soon = datetime.now(UTC) + timedelta(seconds=HOUR_SECONDS / 2)
    return any(worker.last_seen_at > soon for worker in installation.client.workers())


@contextmanager
def _held(rank: psutil.Process) -> Iterator[None]:
    """The training stands still, so that what happens meanwhile happens in its middle."""
    rank.suspend()
    try:
        yield
    finally:
        # A lease that was lost has cost it its life.
        with suppress(psutil.NoSuchProcess):
            rank.resume()
