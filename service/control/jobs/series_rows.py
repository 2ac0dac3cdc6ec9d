"""What jobs have measured as rows of a table: one for each step of a job."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from sqlalchemy import Connection

from service.contract.flat_rows import Row
from service.domain.series_names import TIME, is_own_name
from service.store import jobs
from service.store import series as series_store

COLUMNS = ("job_id", "job", "step", "time")
"""The columns before those of the metrics; `job` is the job's name."""
_ALL = 2**31


def names_of(tx: Connection, job_ids: Sequence[str], names: Sequence[str] | None) -> list[str]:
    """The names of what jobs have measured, in alphabetical order; those of `names` in theirs."""
    if names is not None:
        return list(dict.fromkeys(names))
    measured = series_store.names_of(tx, job_ids)
    return sorted(name for name in measured if not is_own_name(name))


def of_job(tx: Connection, job_id: str, names: Sequence[str], since_step: int = 0) -> Iterator[Row]:
    """The rows of a job, by step; none of one that is not there."""
    stored = jobs.get(tx, job_id)
    charts = series_store.read(tx, job_id, [*names, TIME], since_step, _ALL)
    times = dict(charts.pop(TIME, ()))
    return _rows(job_id, stored.job.name if stored else None, times, charts)


def _rows(
    job_id: str,
    name: str | None,
    times: dict[int, float],
    charts: dict[str, list[tuple[int, float]]],
) -> Iterator[Row]:
    values = {metric: dict(points) for metric, points in charts.items()}
    for step in sorted({step for points in values.values() for step in points}):
        row: Row = {"job_id": job_id, "job": name, "step": step, "time": _moment(times.get(step))}
        yield row | {metric: at[step] for metric, at in values.items() if step in at}


def _moment(seconds: float | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)
