"""What users read of a job's past."""

from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import BaseModel, WithJsonSchema
from sqlalchemy import Connection

from service.contract.counts import count_text
from service.contract.jobs import ENDED_JOBS, Attempt, Event
from service.domain.errors import NotFound
from service.domain.series_names import OWN_NAMES, TIME, TIME_SPENT, is_own_name
from service.store import attempts as attempts_store
from service.store import history, jobs
from service.store import series as series_store
from service.store.series_of_jobs import charts_of

Point = Annotated[
    tuple[int, float],
    WithJsonSchema({"type": "array", "items": {"type": "number"}, "minItems": 2, "maxItems": 2}),
]


class Series(BaseModel):
    """By name the (step, value) pairs of what was measured in a job.

    `times` has when steps were reached, in seconds since 1970 by the server's clock, and
    `time_spent` by the parts of a job's `time_spent` the seconds that all attempts had spent until
    a step.
    """

    object: Literal["metrics"] = "metrics"
    series: dict[str, list[Point]]
    times: list[Point] = []
    time_spent: dict[str, list[Point]] = {}


def attempts(tx: Connection, job_id: str) -> list[Attempt]:
    """Every try, oldest first; raises NotFound."""
    _require_job(tx, job_id)
    return attempts_store.of_job(tx, job_id)


def events(tx: Connection, job_id: str, after: int, limit: int) -> tuple[list[Event], bool]:
    """A page of what happened, oldest first, and whether there is more; raises NotFound."""
    _require_job(tx, job_id)
    newer_events = history.events_after(tx, job_id, after, limit)
    return newer_events[:limit], len(newer_events) > limit


def streamed(
    tx: Connection, job_id: str, after: int, limit: int
) -> tuple[list[Event], dict[str, str | None] | None]:
    """The next events of a job, and how it ended if none will come after them."""
    newer_events = history.events_after(tx, job_id, after, limit)
    if len(newer_events) > limit:
        return newer_events[:limit], None
    job = jobs.get(tx, job_id)
    if job is None:
        return newer_events, {"job_id": job_id, "state": "deleted", "reason": None}
    ended = job.job.state in ENDED_JOBS
    end = {"job_id": job_id, "state": job.job.state.value, "reason": job.job.reason}
    return newer_events, end if ended else None


def of_all(tx: Connection, after: int, limit: int) -> list[Event]:
    """What happened to any job, oldest first."""
    return history.events_of_all(tx, after, limit)


def newest(tx: Connection) -> int:
    """The number of the last event."""
    return history.newest_number(tx)


def version(tx: Connection, job_id: str) -> int:
    """The version of a job, which changes with whatever it measures; raises NotFound."""
    row = jobs.version_of(tx, job_id)
    if row is None:
        raise _no_such_job(job_id)
    return row[0]


def versions(tx: Connection, job_ids: Sequence[str]) -> dict[str, int]:
    """By id the versions of those of the jobs that are there."""
    return jobs.versions_of(tx, job_ids)


def series(
    tx: Connection, job_id: str, names: list[str] | None, since_step: int, max_points: int
) -> Series:
    """What was measured, at most `max_points` of each name; none for a job that is not there."""
    read = [*names, *OWN_NAMES] if names is not None else None
    charts = series_store.read(tx, job_id, read, since_step, max_points)
    # Not checked again: the table has numbers, and there are many.
    return Series.model_construct(
        series={name: chart for name, chart in charts.items() if not is_own_name(name)},
        times=charts.get(TIME, []),
        time_spent={part: charts[name] for name, part in TIME_SPENT.items() if name in charts},
    )


def series_of_jobs(
    tx: Connection, job_ids: Sequence[str], name: str, max_points: int
) -> dict[str, list[tuple[int, float]]]:
    """By id the (step, value) pairs of a series of jobs, at most `max_points` of each."""
    return charts_of(tx, job_ids, name, max_points)


def logged_attempt(tx: Connection, job_id: str, number: int | None) -> int:
    """The attempt whose log is meant, the last one by default; raises NotFound."""
    job = jobs.get(tx, job_id)
    if job is None:
        raise _no_such_job(job_id)
    last = job.job.attempt
    if last == 0:
        raise NotFound("no_log", f"{job_id} has not run yet, so it has no log")
    if number is not None and number > last:
        raise NotFound(
            "no_such_attempt", f"{job_id} has {count_text(last, 'attempt')}, no number {number}"
        )
    return number or last


def require_jobs(tx: Connection, job_ids: Sequence[str]) -> None:
    """Raise NotFound for the first of the jobs that is not there."""
    present = jobs.versions_of(tx, job_ids)
    for job_id in job_ids:
        if job_id not in present:
            raise _no_such_job(job_id)


def _require_job(tx: Connection, job_id: str) -> None:
    if jobs.version_of(tx, job_id) is None:
        raise _no_such_job(job_id)


def _no_such_job(job_id: str) -> NotFound:
    return NotFound("no_such_job", f"there is no job {job_id}")
