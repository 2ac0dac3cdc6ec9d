"""The trials of sweeps in the database."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, RowMapping, case, func, insert, select, update

from service.contract.reading import member
from service.contract.sweeps import BestTrial, Trial, TrialState
from service.store.job_search import json_number
from service.store.sweep_tables import trials
from service.store.tables import jobs

_TRIAL_COLUMNS = ("number", "parameters", "state", "message", "job_id", "value")


@dataclass(frozen=True)
class StoredTrial:
    """A trial as its row has it; `rungs` are the values with which it came to each rung."""

    sweep_id: str
    number: int
    parameters: dict[str, Any]
    job_id: str | None
    state: TrialState
    message: str | None
    value: float | None
    steps: int
    rungs: tuple[float, ...]
    judged_step: int
    stopping: bool
    paused_with_sweep: bool


@dataclass(frozen=True)
class TrialCounts:
    """How many trials of a sweep are in each state, and the steps of all together."""

    by_state: Mapping[str, int]
    steps: int

    @property
    def total(self) -> int:
        """How many there are."""
        return sum(self.by_state.values())


def add(
    tx: Connection,
    sweep_id: str,
    number: int,
    parameters: Mapping[str, Any],
    *,
    job_id: str | None,
    state: TrialState,
    message: str | None = None,
) -> None:
    """Store a new trial."""
    begun = {"steps": 0, "rungs": [], "judged_step": -1}
    begun |= {"stopping": False, "paused_with_sweep": False}
    values = {"parameters": dict(parameters), "job_id": job_id, "state": state, "message": message}
    tx.execute(insert(trials).values(sweep_id=sweep_id, number=number, **values, **begun))


def change(tx: Connection, trial: StoredTrial, values: Mapping[str, Any]) -> None:
    """Set columns of a trial, whose sweep the caller has locked."""
    same = (trials.c.sweep_id == trial.sweep_id) & (trials.c.number == trial.number)
    tx.execute(update(trials).where(same).values(**values))


def live(tx: Connection, sweep_id: str) -> list[StoredTrial]:
    """Those of a sweep whose jobs had not ended when they were last looked at, by number."""
    query = select(trials).where(trials.c.sweep_id == sweep_id, trials.c.state == TrialState.LIVE)
    return [_stored(row) for row in tx.execute(query.order_by(trials.c.number)).mappings()]


def rungs(tx: Connection, sweep_id: str) -> dict[int, tuple[float, ...]]:
    """By number the values with which the trials of a sweep came to each rung."""
    query = select(trials.c.number, trials.c.rungs).where(trials.c.sweep_id == sweep_id)
    return {row.number: tuple(row.rungs) for row in tx.execute(query)}


def counts_of(tx: Connection, sweep_ids: Collection[str]) -> dict[str, TrialCounts]:
    """By id of a sweep its counts; the steps of a live trial are those that its job has made."""
    query = (
        select(
            trials.c.sweep_id,
            trials.c.state,
            func.count().label("count"),
            func.sum(_steps(tx)).label("steps"),
        )
        .select_from(trials.outerjoin(jobs, jobs.c.id == trials.c.job_id))
        .where(trials.c.sweep_id.in_(list(sweep_ids)))
        .group_by(trials.c.sweep_id, trials.c.state)
    )
    found: dict[str, TrialCounts] = {}
    for row in tx.execute(query):
        before = found.get(row.sweep_id, TrialCounts({}, 0))
        by_state = {**before.by_state, str(row.state): int(row._mapping["count"])}
        found[row.sweep_id] = TrialCounts(by_state, before.steps + int(row.steps or 0))
    return {sweep_id: found.get(sweep_id, TrialCounts({}, 0)) for sweep_id in sweep_ids}


def best_of(
    tx: Connection, sweep_ids: Collection[str], maximizing: Collection[str]
) -> dict[str, BestTrial]:
    """By id of a sweep its best trial, of those whose jobs are there; the first of equal ones.

    `maximizing` are those of the sweeps of which the highest value is the best.
    """
    highest = trials.c.sweep_id.in_(list(maximizing))
    order = case((highest, -trials.c.value), else_=trials.c.value)
    rank = func.row_number().over(partition_by=trials.c.sweep_id, order_by=[order, trials.c.number])
    # One without a metric is none of the best, and still what the job has left.
    checkpoint = func.coalesce(jobs.c.best_checkpoint, jobs.c.latest_checkpoint)
    ranked = (
        select(trials, checkpoint.label("checkpoint_id"), rank.label("rank"))
        .select_from(trials.join(jobs, jobs.c.id == trials.c.job_id))
        .where(trials.c.sweep_id.in_(list(sweep_ids)), trials.c.value.is_not(None))
        .subquery()
    )
    return {
        row["sweep_id"]: BestTrial(
            **{
                name: row[name]
                for name in ("number", "parameters", "value", "job_id", "checkpoint_id")
            },
        )
        for row in tx.execute(select(ranked).where(ranked.c.rank == 1)).mappings()
    }


def page(tx: Connection, sweep_id: str, after: int, limit: int) -> list[Trial]:
    """Trials after a number, by number; one above the limit if there are more."""
    columns = [trials.c[name] for name in _TRIAL_COLUMNS]
    query = (
        select(*columns, jobs.c.state.label("job_state"), _steps(tx).label("steps"))
        .select_from(trials.outerjoin(jobs, jobs.c.id == trials.c.job_id))
        .where(trials.c.sweep_id == sweep_id, trials.c.number > after)
        .order_by(trials.c.number)
        .limit(limit + 1)
    )
    return [
        Trial.model_validate({**row, "steps": int(row["steps"] or 0)})
        for row in tx.execute(query).mappings()
    ]


def jobs_at(found: Sequence[StoredTrial]) -> list[str]:
    """The ids of their jobs."""
    return [trial.job_id for trial in found if trial.job_id is not None]


def _steps(tx: Connection) -> Any:
    made = func.coalesce(json_number(tx.dialect.name, jobs.c.progress, "step"), 0)
    # What comes after the last iteration recalibrates batch norm.
    total = json_number(tx.dialect.name, jobs.c.spec, "params", "total_iters")
    trained = case((made > total, total), else_=made)
    return case((trials.c.state == TrialState.LIVE, trained), else_=trials.c.steps)


def _stored(row: RowMapping) -> StoredTrial:
    more: dict[str, Any] = {"state": member(TrialState, row["state"]), "rungs": tuple(row["rungs"])}
    return StoredTrial(**{**row, **more})
