"""How many jobs and workers there are in each state, and what the running ones do."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, select

from service.contract.jobs import LIVE_ATTEMPTS, JobState
from service.store.tables import attempts, jobs, workers
from service.store.workers import PRESENT

_BY_RECIPE = select(jobs.c.recipe, jobs.c.state, func.count()).group_by(jobs.c.recipe, jobs.c.state)
_RUNNING = (JobState.RUNNING, JobState.CANCELLING, JobState.PAUSING)
_RATES = select(jobs.c.recipe, jobs.c.progress).where(jobs.c.state.in_(_RUNNING))
# Ids sort by creation: one step of the index, however many wait.
_OLDEST_QUEUED = (
    select(jobs.c.created_at).where(jobs.c.state == JobState.QUEUED).order_by(jobs.c.id).limit(1)
)
_WORKERS = (
    select(workers.c.state, func.count(), func.min(workers.c.last_seen_at))
    .where(workers.c.state.in_(PRESENT))
    .group_by(workers.c.state)
)
_LIVE = (
    select(attempts.c.state, func.count())
    .where(attempts.c.state.in_(LIVE_ATTEMPTS))
    .group_by(attempts.c.state)
)


@dataclass(frozen=True)
class StateCounts:
    """The numbers of one moment; those of jobs are by (recipe, state), a rate by recipe."""

    jobs: dict[tuple[str, str], int] = field(default_factory=dict)
    images_per_second: dict[str, float] = field(default_factory=dict)
    workers: dict[str, int] = field(default_factory=dict)
    live_attempts: dict[str, int] = field(default_factory=dict)
    oldest_queued_at: datetime | None = None
    longest_silent_since: datetime | None = None


def count_states(tx: Connection) -> StateCounts:
    """Count, by indexes alone; of whole rows those of running jobs and present workers are read."""
    present = list(tx.execute(_WORKERS))
    seen = [last_seen for _, _, last_seen in present]
    counted = {(recipe or "", state): count for recipe, state, count in tx.execute(_BY_RECIPE)}
    rates = {recipe: 0.0 for recipe, _ in counted}
    for recipe, progress in tx.execute(_RATES):
        rates[recipe or ""] = rates.get(recipe or "", 0.0) + _rate_of(progress)
    live = dict.fromkeys(map(str, LIVE_ATTEMPTS), 0)
    return StateCounts(
        jobs=counted,
        images_per_second=rates,
        workers=dict.fromkeys(map(str, PRESENT), 0) | {state: many for state, many, _ in present},
        live_attempts=live | {state: count for state, count in tx.execute(_LIVE)},
        oldest_queued_at=tx.execute(_OLDEST_QUEUED).scalar_one_or_none(),
        longest_silent_since=min(seen, default=None),
    )


def _rate_of(progress: Any) -> float:
    rate = progress.get("images_per_second") if isinstance(progress, dict) else None
    return float(rate) if isinstance(rate, int | float) else 0.0
