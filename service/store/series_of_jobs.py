"""One series of each of many jobs, short enough to be drawn beside the job in a list."""

from collections.abc import Sequence

from sqlalchemy import (
    BigInteger,
    BindParameter,
    Connection,
    Float,
    LargeBinary,
    bindparam,
    cast,
    null,
    select,
    union_all,
)

from service.domain.point_arrays import NO_POINTS, PointArrays
from service.store.engine import BINARY_RESULTS
from service.store.tables import metrics, series_arrays

_OF_JOBS: BindParameter[str] = bindparam("job_ids", expanding=True)
_NAME: BindParameter[str] = bindparam("series_name")
_NO_BYTES = cast(null(), LargeBinary)
# One statement: points that another server moves from rows into arrays are read once.
_POINTS = union_all(
    select(metrics.c.job_id, metrics.c.step, metrics.c.value, _NO_BYTES, _NO_BYTES).where(
        metrics.c.job_id.in_(_OF_JOBS), metrics.c.name == _NAME
    ),
    select(
        series_arrays.c.job_id,
        cast(null(), BigInteger),
        cast(null(), Float),
        series_arrays.c.steps,
        series_arrays.c.numbers,
    ).where(series_arrays.c.job_id.in_(_OF_JOBS), series_arrays.c.name == _NAME),
).execution_options(**{BINARY_RESULTS: True})


def charts_of(
    tx: Connection, job_ids: Sequence[str], name: str, max_points: int
) -> dict[str, list[tuple[int, float]]]:
    """By job id the (step, value) pairs of a series, thinned as those of a chart are.

    A job without the series is not there.
    """
    # The driver's own tuples: to make a row of each would take longer than all the rest.
    cursor = tx.execute(_POINTS, {"job_ids": list(job_ids), "series_name": name}).cursor
    assert cursor is not None
    arrays: dict[str, PointArrays] = {}
    points: dict[str, list[tuple[int, float]]] = {}
    for job_id, step, value, steps, numbers in cursor.fetchall():
        if steps is not None:
            arrays[job_id] = PointArrays.of_bytes(steps, numbers)
        else:
            points.setdefault(job_id, []).append((step, value))
    for job_id, newer in points.items():
        older = arrays.get(job_id, NO_POINTS)
        arrays[job_id] = older.with_points(*zip(*sorted(newer), strict=True))
    return {job_id: each.chart(0, max_points) for job_id, each in arrays.items() if len(each)}
