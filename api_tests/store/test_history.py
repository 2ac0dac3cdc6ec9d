from itertools import pairwise

import pytest

from service.store import history
from service.store.engine import Database


@pytest.mark.parametrize("count", [1, 2, 9, 10, 11, 97, 500])
@pytest.mark.parametrize("max_points", [2, 3, 10])
def test_a_long_series_keeps_its_first_and_last_and_no_more_than_asked_for(
    sqlite: Database, count: int, max_points: int
) -> None:
    with sqlite.write() as tx:
        history.add_metrics(tx, "job_1", [("loss", step, float(step)) for step in range(count)])
        steps = [step for step, _ in history.series(tx, "job_1", None, 0, max_points)["loss"]]
    assert (steps[0], steps[-1]) == (0, count - 1)
    assert len(steps) == len(set(steps))
    assert len(steps) == count if count <= max_points else max_points / 2 < len(steps)
    assert len(steps) <= max_points


def test_what_is_kept_of_a_series_is_spread_evenly(database: Database) -> None:
    with database.write() as tx:
        history.add_metrics(tx, "job_1", [("loss", 7 * n, 0.5) for n in range(1000)])
        steps = [step for step, _ in history.series(tx, "job_1", None, 0, 11)["loss"]]
    gaps = [after - before for before, after in pairwise(steps)]
    assert len(steps) == 11
    assert max(gaps) - min(gaps) <= 7


def test_series_can_be_narrowed_by_name_and_step_and_are_thinned_each_by_itself(
    database: Database,
) -> None:
    with database.write() as tx:
        history.add_metrics(tx, "job_1", [("loss", step, 1.0) for step in range(100)])
        history.add_metrics(tx, "job_1", [("top1_error", 50, 0.5), ("lr", 60, 0.1)])
        history.add_metrics(tx, "job_2", [("loss", 70, 3.0)])
        found = history.series(tx, "job_1", ["loss", "top1_error"], 50, 5)
    assert set(found) == {"loss", "top1_error"}
    assert (found["loss"][0][0], found["loss"][-1][0], len(found["loss"])) == (50, 99, 5)
    assert found["top1_error"] == [(50, 0.5)]


def test_an_empty_series_is_no_series(database: Database) -> None:
    with database.read() as tx:
        assert history.series(tx, "job_1", None, 0, 10) == {}
