"""The series of metrics of jobs: bounded in the table, and thinned for a drawing."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from sqlalchemy import Connection, Select, bindparam, delete, select
from sqlalchemy.dialects import postgresql, sqlite

from service.domain.thinning import chosen_points
from service.store.tables import metrics

MOST_POINTS = 10_000
"""A series that grows beyond it is thinned to half of it."""
MOST_POINTS_OF_JOB = 100_000
"""Over all series of a job: a page asks for all of them at once."""
_MOST_DELETED = 10_000
"""By one statement: a driver takes a number of parameters."""
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
_OF_SERIES = (metrics.c.job_id == bindparam("of_job")) & (metrics.c.name == bindparam("of_name"))
_LONGER_THAN = (
    select(metrics.c.step)
    .where(_OF_SERIES)
    .order_by(metrics.c.step)
    .offset(bindparam("most_points"))
    .limit(1)
)
_DELETE = delete(metrics).where(_OF_SERIES, metrics.c.step.in_(bindparam("steps", expanding=True)))


def add(tx: Connection, job_id: str, points: Iterable[tuple[str, int, float]]) -> None:
    """Store (name, step, value); a step that is trained again replaces what it measured."""
    rows = [
        {"job_id": job_id, "name": name, "step": step, "value": value}
        for name, step, value in points
    ]
    if not rows:
        return
    tx.execute(_ADD_TO_SQLITE if tx.dialect.name == "sqlite" else _ADD_TO_POSTGRES, rows)


def thin_long_ones(
    tx: Connection, job_id: str, names: Iterable[str], series_count: int = 1
) -> list[str]:
    """Thin those of a job's series that are too long; gives their names, sorted.

    The `series_count` series of the job share MOST_POINTS_OF_JOB; none has more than MOST_POINTS.
    """
    most_points = min(MOST_POINTS, MOST_POINTS_OF_JOB // max(series_count, 1))
    long_names = [name for name in sorted(names) if _is_longer(tx, job_id, name, most_points)]
    for name in long_names:
        for _, steps, values in _columns(tx, _points(job_id).where(metrics.c.name == name)):
            chosen = {steps[position] for position in chosen_points(values, most_points // 2)}
            _delete(tx, job_id, name, [step for step in steps if step not in chosen])
    return long_names


def read(
    tx: Connection, job_id: str, names: Sequence[str] | None, since_step: int, max_points: int
) -> dict[str, list[tuple[int, float]]]:
    """By name the (step, value) pairs; of more than `max_points` the first, the last, and between
    them the lowest and the highest of each of equally many points."""
    query = _points(job_id).where(metrics.c.step >= since_step)
    if names is not None:
        query = query.where(metrics.c.name.in_(names))
    return {
        name: [(steps[each], values[each]) for each in chosen_points(values, max_points)]
        for name, steps, values in _columns(tx, query)
    }


def _is_longer(tx: Connection, job_id: str, name: str, most_points: int) -> bool:
    values = {"of_job": job_id, "of_name": name, "most_points": most_points}
    return tx.execute(_LONGER_THAN, values).first() is not None


def _points(job_id: str) -> Select[tuple[str, int, float]]:
    query = select(metrics.c.name, metrics.c.step, metrics.c.value)
    return query.where(metrics.c.job_id == job_id).order_by(metrics.c.name, metrics.c.step)


def _columns(
    tx: Connection, query: Select[tuple[str, int, float]]
) -> Iterator[tuple[str, list[int], list[float]]]:
    """Each series as its name, its steps and its values."""
    # The driver's own tuples: to make a row of each would take longer than all the rest; and a part
    # at a time, as many objects at once have the garbage collector look at all there are.
    cursor = tx.execute(query).cursor
    assert cursor is not None
    names, steps, values = list[str](), list[int](), list[float]()
    while part := cursor.fetchmany(_PART):
        names += [row[0] for row in part]
        steps += [row[1] for row in part]
        values += [row[2] for row in part]
    start = 0
    for name, count in Counter(names).items():
        end = start + count
        yield name, steps[start:end], values[start:end]
        start = end


def _delete(tx: Connection, job_id: str, name: str, steps: Sequence[int]) -> None:
    for start in range(0, len(steps), _MOST_DELETED):
        part = steps[start : start + _MOST_DELETED]
        tx.execute(_DELETE, {"of_job": job_id, "of_name": name, "steps": part})
