"""What must hold after every step, whatever it was."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import select

from api_tests.support.catalogs import a_catalog, oneshot_with_depth
from api_tests.support.control_agent import Agent, gpus
from api_tests.support.job_lists import newest_jobs
from api_tests.support.use_cases import ControlPlane
from service.contract.agent import Claim
from service.contract.jobs import ENDED_JOBS, LIVE_ATTEMPTS, Job, JobState
from service.contract.workers import Worker, WorkerState
from service.control.scheduling.scheduler import capacities_of, eligible_jobs
from service.domain.offers import Offer
from service.domain.placement import Capacity
from service.domain.retry import WORKER_LOSSES_BEFORE_POISON
from service.store import attempts, workers
from service.store.checkpoint_tables import checkpoints as checkpoints_table
from service.store.tables import attempts as attempts_table
from service.store.tables import jobs as jobs_table

_WITH_AN_ATTEMPT = (JobState.RUNNING, JobState.PAUSING, JobState.CANCELLING)


class Promises:
    """Remembers what was promised, and compares."""

    def __init__(self, control_plane: ControlPlane) -> None:
        self._control_plane = control_plane
        self.jobs: dict[str, Job] = {}
        self.ended: dict[str, tuple[Any, ...]] = {}
        self._steps: dict[str, int] = {}
        self._numbers: dict[str, int] = {}

    def acknowledged(self, job: Job) -> None:
        """The user was told of this job."""
        self.jobs.setdefault(job.id, job)

    def is_live(self, claim: Claim) -> bool:
        """Whether a claim's attempt holds the lease."""
        table = attempts_table
        query = select(table.c.state).where(
            table.c.job_id == claim.job_id, table.c.number == claim.attempt
        )
        with self._control_plane.database.read() as tx:
            return tx.execute(query).scalar_one() in LIVE_ATTEMPTS

    def is_preempted(self, claim: Claim) -> bool:
        """Whether a claim's attempt was asked to give its place to another job."""
        with self._control_plane.database.read() as tx:
            return attempts.preempted_for(tx, claim.job_id, claim.attempt) is not None

    def check(self, agents: Sequence[Agent]) -> None:
        """Every promise."""
        with self._control_plane.database.read() as tx:
            found = {job.id: job for job in newest_jobs(tx)}
            assert set(found) == set(self.jobs), "an acknowledged job is missing, or was made up"
            counters = {row.id: row for row in tx.execute(select(jobs_table))}
            tried: dict[str, list[Any]] = {job_id: [] for job_id in found}
            by_number = select(attempts_table).order_by(attempts_table.c.number)
            for row in tx.execute(by_number):
                tried[row.job_id].append(row)
            steps = {row.id: row for row in tx.execute(select(checkpoints_table))}
            for job in found.values():
                self._one_live_attempt(job, tried[job.id])
                _only_lower_jobs_are_preempted(job, tried[job.id], found)
                self._ends_stay(job)
                self._pointer_never_goes_back(job, steps)
                _budgets_are_bounded(job, counters[job.id])
            queued = [job for job in found.values() if job.state is JobState.QUEUED]
            self._what_is_queued_is_claimable(tx, queued)
            self._reasons_are_true(tx, queued, agents)

    def _one_live_attempt(self, job: Job, attempts: list[Any]) -> None:
        live = [attempt for attempt in attempts if attempt.state in LIVE_ATTEMPTS]
        assert len(live) == (job.state in _WITH_AN_ATTEMPT), (job.state, attempts)
        assert [attempt.number for attempt in attempts] == list(range(1, job.attempt + 1))
        assert all(attempt.number == job.attempt for attempt in live)
        assert all(
            attempt.reason and attempt.finished_at for attempt in attempts if attempt not in live
        )
        assert job.attempt >= self._numbers.get(job.id, 0)
        self._numbers[job.id] = job.attempt

    def _ends_stay(self, job: Job) -> None:
        if job.state in ENDED_JOBS:
            now = (job.state, job.reason, job.message, job.finished_at, job.result, job.attempt)
            assert self.ended.setdefault(job.id, now) == now
            assert job.reason is not None
        else:
            assert job.id not in self.ended, "an end was taken back"
            assert job.finished_at is None

    def _pointer_never_goes_back(self, job: Job, rows: dict[str, Any]) -> None:
        if job.latest_checkpoint is None:
            assert job.id not in self._steps
            return
        found = rows[job.latest_checkpoint]
        assert found.state == "published"
        assert found.step >= self._steps.get(job.id, 0)
        self._steps[job.id] = found.step

    def _what_is_queued_is_claimable(self, tx: Any, queued: list[Job]) -> None:
        now = self._control_plane.now
        fresh = Worker(
            id="wrk_fresh",
            host="fresh",
            state=WorkerState.ACTIVE,
            gpus=gpus(4),
            slots=9,
            registered_at=now,
            last_seen_at=now,
        )
        # The form that takes the jobs of every other one.
        offer = Offer.of(a_catalog(oneshot_with_depth(9)))
        capacity = Capacity(fresh, offer, free_slots=9, free_gpus=4)
        queue = list(eligible_jobs(tx, capacity, now + timedelta(hours=1)))
        in_order = sorted(queued, key=lambda job: (-job.spec.priority, job.id))
        assert [waiting.id for waiting in queue] == [job.id for job in in_order]
        positions = [job.queue_position for job in in_order]
        assert positions == list(range(1, len(in_order) + 1))

    def _reasons_are_true(self, tx: Any, queued: list[Job], agents: Sequence[Agent]) -> None:
        capacities = capacities_of(tx, workers.present(tx))
        claimable = {
            w.id for each in capacities for w in eligible_jobs(tx, each, self._control_plane.now)
        }
        for job in queued:
            if job.wait_reason != "it waits before its next try":
                assert (job.wait_reason is None) == (job.id in claimable), job.wait_reason
        assert len(capacities) <= len(agents)


def _budgets_are_bounded(job: Job, row: Any) -> None:
    over = job.state in ENDED_JOBS
    assert row.failures <= job.spec.max_failures + over
    assert row.worker_losses <= WORKER_LOSSES_BEFORE_POISON - (not over)


def _only_lower_jobs_are_preempted(job: Job, attempts: list[Any], jobs: dict[str, Job]) -> None:
    for attempt in attempts:
        if attempt.preempted_for is not None:
            assert job.spec.preemptible
            assert job.spec.priority < jobs[attempt.preempted_for].spec.priority
