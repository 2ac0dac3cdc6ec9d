"""The use cases over a real database, with a clock that tests turn."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

from sqlalchemy import Connection

from api_tests.support.specs import SPEC, submission
from service.contract.checkpoints import Checkpoint
from service.contract.jobs import Attempt, Event, Job
from service.control.checkpoints import index
from service.control.jobs import actions, history, retries, views
from service.control.jobs.submission import SubmissionResult, submit
from service.control.leases import reaper
from service.control.leases.reaper import LeaseTimeouts
from service.control.leases.transitions import BackoffPolicy
from service.control.scheduling import preemption
from service.store.engine import Database

WINDOWS = LeaseTimeouts(start_seconds=30, unreachable_seconds=60, reassign_seconds=300)
PREEMPT_AFTER_SECONDS = 60.0
PATIENCE = BackoffPolicy(backoff_seconds=10, jitter=1.0)


class ControlPlane:
    """A control plane: every call is one transaction at `now`."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.now = datetime(2026, 1, 1, tzinfo=UTC)
        self._numbers = count(1)

    def later(self, seconds: float) -> None:
        """Turn the clock on."""
        self.now += timedelta(seconds=seconds)

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A transaction of a test's own."""
        with self.database.write() as tx:
            yield tx

    def new_job_id(self) -> str:
        """Sorts by creation."""
        return f"job_{next(self._numbers):04d}"

    def submit(self, key: str | None = None, **fields: Any) -> Job:
        """A training on the digits; `fields` replace those of the submission."""
        with self.write() as tx:
            result = self._submit_in(tx, key, fields)
        return self.job_of(result)

    def submit_all(self, *jobs: dict[str, Any]) -> list[str]:
        """Trainings on the digits, with these fields, in one transaction; their ids."""
        with self.write() as tx:
            return [self._submit_in(tx, None, fields).job_id for fields in jobs]

    def _submit_in(
        self, tx: Connection, key: str | None, fields: dict[str, Any]
    ) -> SubmissionResult:
        spec = submission(SPEC | fields)
        return submit(tx, spec, job_id=self.new_job_id(), key=key, now=self.now)

    def cancel(self, job: Job, mode: str = "graceful") -> Job:
        """As a user does."""
        with self.write() as tx:
            actions.cancel(tx, job.id, mode=mode, now=self.now)
        return self.job(job)

    def pause(self, job: Job) -> Job:
        """As a user does."""
        with self.write() as tx:
            actions.pause(tx, job.id, self.now)
        return self.job(job)

    def resume(self, job: Job) -> Job:
        """As a user does."""
        with self.write() as tx:
            actions.resume(tx, job.id, self.now)
        return self.job(job)

    def retry(self, job: Job, origin: str = "latest", key: str | None = None) -> SubmissionResult:
        """As a user does."""
        with self.write() as tx:
            return retries.retry(
                tx, job.id, origin, new_id=self.new_job_id(), key=key, now=self.now
            )

    def job(self, job: Job) -> Job:
        """As it is now."""
        with self.database.read() as tx:
            return views.get(tx, job.id)

    def job_of(self, result: SubmissionResult) -> Job:
        """The job of a submission or a retry, as it is now."""
        with self.database.read() as tx:
            return views.get(tx, result.job_id)

    def attempts_of(self, job: Job) -> list[Attempt]:
        """Oldest first."""
        with self.database.read() as tx:
            return history.attempts(tx, job.id)

    def events_of(self, job: Job, kind: str) -> list[Event]:
        """Of one kind, oldest first."""
        with self.database.read() as tx:
            return [e for e in history.events(tx, job.id, 0, 1000)[0] if e.kind == kind]

    def series_of(self, job: Job) -> dict[str, list[tuple[int, float]]]:
        """By name what was measured."""
        with self.database.read() as tx:
            return history.series(tx, job.id, None, 0, 1000).series

    def checkpoints_of(self, job: Job) -> dict[int, Checkpoint]:
        """By step."""
        with self.database.read() as tx:
            return {c.step: c for c in index.of_job(tx, job.id)}

    def preempt(self) -> int:
        """What the loop of preemptions does; how many attempts were asked."""
        with self.write() as tx:
            decided = preemption.decide(tx, PREEMPT_AFTER_SECONDS, self.now)
            return preemption.carry_out(tx, decided, self.now)

    def sweep(self) -> int:
        """What the reaper does; how many attempts changed."""
        with self.write() as tx:
            return reaper.sweep(tx, WINDOWS, backoff_policy=lambda: PATIENCE, now=self.now).changed
