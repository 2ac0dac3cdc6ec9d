"""The trials of a sweep that have not ended, with their jobs and what these have measured."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from service.contract.jobs import ENDED_JOBS, Job
from service.contract.specs import NetworkSpec
from service.contract.stored_specs import StoredSpec
from service.contract.sweep_specs import NewSweep
from service.domain.known_parameters import KnownParameters
from service.store import jobs, series, trials
from service.store.trials import StoredTrial

_ALL_POINTS = 2**31


@dataclass(frozen=True)
class LiveTrial:
    """A trial, its job if that is still there, and the (step, value) that are new of it."""

    trial: StoredTrial
    job: Job | None
    points: tuple[tuple[int, float], ...]

    @property
    def has_ended(self) -> bool:
        """Whether its job has ended, or is gone."""
        return self.job is None or self.job.state in ENDED_JOBS

    @property
    def points_in_training(self) -> tuple[tuple[int, float], ...]:
        """The new points before the last iteration: after it there is nothing left to stop."""
        total = steps_of(self.job.spec) if self.job is not None else 0
        return tuple((step, value) for step, value in self.points if step < total)

    @property
    def steps(self) -> int:
        """The iterations that its job has trained."""
        if self.job is None:
            return 0
        return min(self.job.progress.step, steps_of(self.job.spec))

    @property
    def steps_at_most(self) -> int:
        """The iterations that its job may have trained at its end."""
        if self.job is None or self.has_ended:
            return self.steps
        return steps_of(self.job.spec)


def live_trials(tx: Connection, sweep_id: str, new: NewSweep) -> list[LiveTrial]:
    """Those of a sweep, by number."""
    found = trials.live(tx, sweep_id)
    stored = jobs.get_all(tx, trials.jobs_at(found))
    by_id = {job_id: each.job for job_id, each in stored.items()}
    return [
        LiveTrial(trial, by_id.get(trial.job_id or ""), _new_points(tx, new, trial))
        for trial in found
    ]


def steps_of(spec: StoredSpec) -> int:
    """The iterations of a whole training; none for one whose recipe does not count by them.

    What recalibrates batch norm after them trains nothing.
    """
    params: Mapping[str, Any] = spec.params if isinstance(spec, NetworkSpec) else {}
    return KnownParameters.of(params).total_iters or 0


def _new_points(tx: Connection, new: NewSweep, trial: StoredTrial) -> tuple[tuple[int, float], ...]:
    if trial.job_id is None:
        return ()
    metric, since = new.objective.metric, trial.judged_step + 1
    return tuple(series.read(tx, trial.job_id, [metric], since, _ALL_POINTS).get(metric, ()))
