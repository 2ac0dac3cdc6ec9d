"""The trials of a sweep that have not ended, with their jobs and what these have measured."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from service.contract.jobs import ENDED_JOBS, Job
from service.contract.specs import NetworkSpec
from service.contract.stored_specs import StoredSpec
from service.contract.sweeps import NewSweep
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
    def steps(self) -> int:
        """The iterations that its job has made."""
        return self.job.progress.step if self.job is not None else 0

    @property
    def steps_at_most(self) -> int:
        """The iterations that its job may have made at its end."""
        if self.job is None or self.has_ended:
            return self.steps
        return max(self.steps, steps_of(self.job.spec))


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
    """The iterations of a whole training, with those that only recalibrate batch norm."""
    params: Mapping[str, Any] = spec.params if isinstance(spec, NetworkSpec) else {}
    counts = (params.get(name) for name in ("total_iters", "bn_recalibration_iters"))
    return sum(each for each in counts if isinstance(each, int))


def _new_points(tx: Connection, new: NewSweep, trial: StoredTrial) -> tuple[tuple[int, float], ...]:
    if trial.job_id is None:
        return ()
    metric, since = new.objective.metric, trial.judged_step + 1
    return tuple(series.read(tx, trial.job_id, [metric], since, _ALL_POINTS).get(metric, ()))
