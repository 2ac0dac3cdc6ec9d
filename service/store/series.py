"""The series of metrics of jobs: newest points in rows, all others in an array for each series.

A heartbeat adds rows, which costs little, and now and then they are moved into the arrays, from
which a chart is read fast.
"""

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from operator import itemgetter
from typing import Any

from sqlalchemy import BindParameter, Connection, Select, bindparam, delete, exists, func, select
from sqlalchemy.dialects import postgresql, sqlite

from service.contract.jobs import ENDED_JOBS
from service.domain.point_arrays import NO_POINTS, STEP_BYTES, PointArrays
from service.store.engine import BINARY_RESULTS
from service.store.tables import jobs, metrics, series_arrays

MOST_POINTS = 10_000
"""A series that grows beyond it is thinned to half of it."""
MOST_POINTS_OF_JOB = 100_000
"""Over all series of a job: a page asks for all of them at once."""
ROWS_BETWEEN_MOVES = 2_560
"""Points of a job in rows, all series together, after which a heartbeat moves them."""
_MOST_ROWS = 4 * ROWS_BETWEEN_MOVES
_PART = 5_000
"""Rows that are read at a time."""
_KEYS = ["job_id", "name", "step"]
_SQLITE, _POSTGRES = sqlite.insert(metrics), postgresql.insert(metrics)
_ADD_TO_SQLITE = _SQLITE.on_conflict_do_update(
    index_elements=_KEYS, set_={"value": _SQLITE.excluded.value}
)
_ADD_TO_POSTGRES = _POSTGRES.on_conflict_do_update(
    index_elements=_KEYS, set_={"value": _POSTGRES.excluded.value}
)
_SERIES_KEYS = ["job_id", "name"]
_PUT_INTO = {
    dialect: insert_.on_conflict_do_update(
        index_elements=_SERIES_KEYS,
        set_={"steps": insert_.excluded.steps, "numbers": insert_.excluded.numbers},
    )
    for dialect, insert_ in (
        ("sqlite", sqlite.insert(series_arrays)),
        ("postgresql", postgresql.insert(series_arrays)),
    )
}
_OF_JOB: BindParameter[str] = bindparam("of_job")
_ROWS = (
    select(metrics.c.name, metrics.c.step, metrics.c.value)
    .where(metrics.c.job_id == _OF_JOB)
    .order_by(metrics.c.name, metrics.c.step)
)
_ARRAYS = (
    select(series_arrays.c.name, series_arrays.c.steps, series_arrays.c.numbers)
    .where(series_arrays.c.job_id == _OF_JOB)
    .execution_options(**{BINARY_RESULTS: True})
)
_NAMED_OR_LONG = _ARRAYS.where(
    series_arrays.c.name.in_(bindparam("names", expanding=True))
    | (func.length(series_arrays.c.steps) > bindparam("most_bytes"))
)
_DELETE_ROWS = delete(metrics).where(metrics.c.job_id == _OF_JOB)


def add(tx: Connection, job_id: str, points: Iterable[tuple[str, int, float]]) -> None:
    """Store (name, step, value); a step that is trained again replaces what it measured."""
    rows = [
        {"job_id": job_id, "name": name, "step": step, "value": value}
        for name, step, value in points
    ]
    if not rows:
        return
    tx.execute(_ADD_TO_SQLITE if tx.dialect.name == "sqlite" else _ADD_TO_POSTGRES, rows)


def compact(tx: Connection, job_id: str, series_count: int = 1) -> list[str]:
    """Move the points of a job from rows into arrays, and thin its series that are too long.

    Gives the names of those that are thinned, sorted. The `series_count` series of the job share
    MOST_POINTS_OF_JOB; none has more than MOST_POINTS. The caller has locked the job.
    """
    most_points = min(MOST_POINTS, MOST_POINTS_OF_JOB // max(series_count, 1))
    rows = _rows(tx, _ROWS, {"of_job": job_id})
    values = {"of_job": job_id, "names": list(rows), "most_bytes": most_points * STEP_BYTES}
    changed = _arrays(tx, _NAMED_OR_LONG, values)
    for name, points in rows.items():
        changed[name] = changed.get(name, NO_POINTS).with_points(*points)
    long_names = sorted(name for name, points in changed.items() if len(points) > most_points)
    for name in long_names:
        changed[name] = changed[name].thinned(most_points // 2)
    if changed:
        tx.execute(
            _PUT_INTO[tx.dialect.name], [_columns(job_id, *each) for each in changed.items()]
        )
    if rows:
        tx.execute(_DELETE_ROWS, {"of_job": job_id})
    return long_names


def job_to_compact(tx: Connection, after: str) -> str | None:
    """The first job after an id whose points in rows no heartbeat will move into arrays.

    It has ended, or has more of them than heartbeats leave there. None if there is none.
    """
    # One step of the index for each job, however many rows a job has.
    first = select(func.min(metrics.c.job_id).label("job_id")).where(metrics.c.job_id > after)
    ids = first.cte(recursive=True)
    following = select(func.min(metrics.c.job_id)).where(metrics.c.job_id > ids.c.job_id)
    ids = ids.union_all(select(following.scalar_subquery()).where(ids.c.job_id.is_not(None)))
    further = select(metrics.c.step).where(metrics.c.job_id == ids.c.job_id)
    has_many = further.offset(_MOST_ROWS).limit(1).exists()
    has_ended = exists().where(jobs.c.id == ids.c.job_id, jobs.c.state.in_(ENDED_JOBS))
    query = select(ids.c.job_id).where(ids.c.job_id.is_not(None), has_ended | has_many)
    return tx.execute(query.limit(1)).scalar_one_or_none()


def read(
    tx: Connection, job_id: str, names: Sequence[str] | None, since_step: int, max_points: int
) -> dict[str, list[tuple[int, float]]]:
    """By name the (step, value) pairs; of more than `max_points` the first, the last, and between
    them the lowest and the highest of each of equally many points."""
    rows_query, arrays_query = _ROWS.where(metrics.c.step >= since_step), _ARRAYS
    if names is not None:
        rows_query = rows_query.where(metrics.c.name.in_(names))
        arrays_query = arrays_query.where(series_arrays.c.name.in_(names))
    # In this order: between the two statements another server may move points into the arrays.
    rows = _rows(tx, rows_query, {"of_job": job_id})
    arrays = _arrays(tx, arrays_query, {"of_job": job_id})
    charts = {
        name: arrays.get(name, NO_POINTS)
        .with_points(*rows.get(name, ((), ())))
        .chart(since_step, max_points)
        for name in sorted(arrays.keys() | rows.keys())
    }
    return {name: chart for name, chart in charts.items() if chart}


def names_of(tx: Connection, job_ids: Sequence[str]) -> set[str]:
    """The names of all series of the jobs."""
    queries = (
        select(table.c.name).where(table.c.job_id.in_(job_ids)).distinct()
        for table in (metrics, series_arrays)
    )
    return {name for query in queries for name in tx.execute(query).scalars()}


def delete_of_job(tx: Connection, job_id: str) -> None:
    """Delete all points of a job."""
    tx.execute(_DELETE_ROWS, {"of_job": job_id})
    tx.execute(delete(series_arrays).where(series_arrays.c.job_id == job_id))


def _rows(
    tx: Connection, query: Select[Any], values: Mapping[str, Any]
) -> dict[str, tuple[list[int], list[float]]]:
    """By name the steps and the values of points in rows."""
    # The driver's own tuples: to make a row of each would take longer than all the rest; and a part
    # at a time, as many objects at once have the garbage collector look at all there are.
    cursor = tx.execute(query, values).cursor
    assert cursor is not None
    columns: dict[str, tuple[list[int], list[float]]] = {}
    while part := cursor.fetchmany(_PART):
        for name, points in groupby(part, itemgetter(0)):
            steps, numbers = columns.setdefault(name, ([], []))
            for _, step, number in points:
                steps.append(step)
                numbers.append(number)
    return columns


def _arrays(
    tx: Connection, query: Select[Any], values: Mapping[str, Any]
) -> dict[str, PointArrays]:
    return {
        row.name: PointArrays.of_bytes(row.steps, row.numbers) for row in tx.execute(query, values)
    }


def _columns(job_id: str, name: str, points: PointArrays) -> dict[str, Any]:
    return {
        "job_id": job_id,
        "name": name,
        "steps": points.step_bytes,
        "numbers": points.value_bytes,
    }
