"""Points that an older version has left in rows are moved into arrays, however their job ended."""

import pytest
from sqlalchemy import func, select

from api_tests.support.server import wait_for
from service.background.compactor import compactor_loop
from service.context import AppContext
from service.store import series
from service.store.tables import metrics


def test_points_in_rows_that_no_heartbeat_moves_are_moved(
    context: AppContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(series, "_MOST_ROWS", 5)
    database = context.database
    with database.write() as tx:
        for job_id, steps in (("job_1", 6), ("job_2", 5), ("job_3", 9)):
            series.add(tx, job_id, [("loss", step, 0.5) for step in range(steps)])

    def rows() -> dict[str, int]:
        query = select(metrics.c.job_id, func.count()).group_by(metrics.c.job_id)
        with database.read() as tx:
            return {job_id: count for job_id, count in tx.execute(query)}

    loop = compactor_loop(context)
    loop.start()
    wait_for(lambda: rows() == {"job_2": 5}, "the points of two jobs to be moved")
    loop.stop()
    loop.join(10)
    with database.read() as tx:
        charts = [series.read(tx, f"job_{n}", None, 0, 100)["loss"] for n in (1, 2, 3)]
    assert [len(chart) for chart in charts] == [6, 5, 9]
