"""The series of metrics of jobs: bounded in the table, and thinned for a drawing."""

from collections.abc import Iterable, Sequence

from sqlalchemy import Connection, Select, delete, func, select
from sqlalchemy.dialects import postgresql, sqlite

from service.store.tables import metrics

MOST_POINTS = 10_000
"""A series that grows beyond it is thinned to half of it."""
MOST_POINTS_OF_JOB = 100_000
"""Over all series of a job: a page asks for all of them at once."""


def add(tx: Connection, job_id: str, points: Iterable[tuple[str, int, float]]) -> None:
    """Store (name, step, value); a step that is trained again replaces what it measured."""
    rows = [
        {"job_id": job_id, "name": name, "step": step, "value": value}
        for name, step, value in points
    ]
    if not rows:
        return
    dialect = sqlite if tx.dialect.name == "sqlite" else postgresql
    statement = dialect.insert(metrics)
    keys = ["job_id", "name", "step"]
    newer = {"value": statement.excluded.value}
    tx.execute(statement.on_conflict_do_update(index_elements=keys, set_=newer), rows)


def thin_long_ones(
    tx: Connection, job_id: str, names: Iterable[str], series_count: int = 1
) -> list[str]:
    """Thin those of a job's series that are too long; gives their names, sorted.

    The `series_count` series of the job share MOST_POINTS_OF_JOB; none has more than MOST_POINTS.
    """
    most_points = min(MOST_POINTS, MOST_POINTS_OF_JOB // max(series_count, 1))
    long_names = [name for name in sorted(names) if _is_longer(tx, job_id, name, most_points)]
    for name in long_names:
        chosen = _thinned(job_id, [name], 0, most_points // 2).subquery()
        of_series = (metrics.c.job_id == job_id) & (metrics.c.name == name)
        rest = metrics.c.step.not_in(select(chosen.c.step))
        tx.execute(delete(metrics).where(of_series, rest))
    return long_names


def read(
    tx: Connection, job_id: str, names: Sequence[str] | None, since_step: int, max_points: int
) -> dict[str, list[tuple[int, float]]]:
    """By name the (step, value) pairs; of more than `max_points` the first, the last, and between
    them the lowest and the highest of each of equally many steps."""
    query = _thinned(job_id, names, since_step, max_points)
    points: dict[str, list[tuple[int, float]]] = {}
    for row in tx.execute(query.order_by("name", "step")):
        points.setdefault(row.name, []).append((row.step, row.value))
    return points


def _is_longer(tx: Connection, job_id: str, name: str, most_points: int) -> bool:
    of_series = (metrics.c.job_id == job_id) & (metrics.c.name == name)
    query = select(metrics.c.step).where(of_series).order_by(metrics.c.step)
    return tx.execute(query.offset(most_points).limit(1)).first() is not None


def _thinned(
    job_id: str, names: Sequence[str] | None, since_step: int, max_points: int
) -> Select[tuple[str, int, float]]:
    name, step, value = metrics.c.name, metrics.c.step, metrics.c.value
    position = func.row_number().over(partition_by=name, order_by=step).label("position")
    count = func.count().over(partition_by=name).label("count")
    query = select(name, step, value, position, count)
    query = query.where(metrics.c.job_id == job_id, step >= since_step)
    if names is not None:
        query = query.where(name.in_(names))
    rows = query.subquery().c
    # The first and the last are chosen anyway, and each bucket gives two.
    bucket_count = (max_points - 2) // 2
    bucket = [rows.name, (rows.position - 1) * bucket_count // rows.count]
    up, down = [rows.value, rows.step], [rows.value.desc(), rows.step.desc()]
    from_lowest = func.row_number().over(partition_by=bucket, order_by=up).label("from_lowest")
    from_highest = func.row_number().over(partition_by=bucket, order_by=down).label("from_highest")
    ranked = select(*rows, from_lowest, from_highest).subquery().c
    is_end = (ranked.position == 1) | (ranked.position == ranked.count)
    is_chosen = (ranked.count <= max_points) | is_end
    if bucket_count > 0:
        is_chosen |= (ranked.from_lowest == 1) | (ranked.from_highest == 1)
    return select(ranked.name, ranked.step, ranked.value).where(is_chosen)
