import random

import pytest
import sqlalchemy as sa
from sqlalchemy import Connection

from service.domain.thinning import chosen_points
from service.store import series
from service.store.engine import Database
from service.store.migrate import downgrade
from service.store.tables import metrics


@pytest.mark.parametrize("count", [1, 2, 9, 10, 11, 97, 500])
@pytest.mark.parametrize("max_points", [2, 3, 10])
def test_a_long_series_keeps_its_first_and_last_and_no_more_than_asked_for(
    sqlite: Database, count: int, max_points: int
) -> None:
    with sqlite.write() as tx:
        series.add(tx, "job_1", [("loss", step, float(step)) for step in range(count)])
        steps = [step for step, _ in series.read(tx, "job_1", None, 0, max_points)["loss"]]
    assert (steps[0], steps[-1]) == (0, count - 1)
    assert len(steps) == len(set(steps))
    assert len(steps) == count if count <= max_points else max_points / 2 < len(steps)
    assert len(steps) <= max_points


def test_every_part_of_a_thinned_series_keeps_its_lowest_and_its_highest(
    database: Database,
) -> None:
    values = [float(n % 7) for n in range(1000)]
    values[501], values[502] = -100.0, 100.0
    with database.write() as tx:
        series.add(tx, "job_1", [("loss", 3 * n, value) for n, value in enumerate(values)])
        chosen = series.read(tx, "job_1", None, 0, 22)["loss"]
    between = [n for step, _ in chosen[1:-1] if (n := step // 3)]
    assert (chosen[0], chosen[-1]) == ((0, 0.0), (2997, values[-1]))
    assert {(1503, -100.0), (1506, 100.0)} <= set(chosen)
    for part in range(10):
        of_part = [values[n] for n in [0, *between] if n // 100 == part]
        assert (min(of_part), max(of_part)) == (-100.0, 100.0) if part == 5 else (0.0, 6.0)


def test_a_series_that_grows_too_long_is_thinned_in_the_table_and_no_other_is(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(series, "MOST_POINTS", 1000)
    with database.write() as tx:
        for job_id, name, count in (("job_1", "loss", 1001), ("job_1", "lr", 1000)):
            points = [(name, step, float(step == 500)) for step in range(count)]
            series.add(tx, job_id, points)
            series.add(tx, "job_2", points)
        assert series.compact(tx, "job_1") == ["loss"]
        thinned = series.read(tx, "job_1", None, 0, 10_000)
        others = series.read(tx, "job_2", None, 0, 10_000)
    assert 250 <= len(thinned["loss"]) <= 500
    assert (500, 1.0) in thinned["loss"]
    assert [len(thinned["lr"]), len(others["loss"]), len(others["lr"])] == [1000, 1001, 1000]


def test_the_series_of_a_job_share_a_number_of_points(
    sqlite: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(series, "MOST_POINTS_OF_JOB", 1000)
    names = [f"m{number}" for number in range(10)]
    with sqlite.write() as tx:
        for name in names:
            series.add(tx, "job_1", [(name, step, float(step % 7)) for step in range(101)])
        assert series.compact(tx, "job_1", series_count=9) == []
        assert series.compact(tx, "job_1", series_count=10) == names
        thinned = series.read(tx, "job_1", None, 0, 10_000)
    assert sum(len(points) for points in thinned.values()) <= 500


def test_series_can_be_narrowed_by_name_and_step_and_are_thinned_each_by_itself(
    database: Database,
) -> None:
    with database.write() as tx:
        series.add(tx, "job_1", [("loss", step, (step * 7 + 3) % 50) for step in range(100)])
        series.add(tx, "job_1", [("top1_error", 50, 0.5), ("lr", 60, 0.1)])
        series.add(tx, "job_2", [("loss", 70, 3.0)])
        found = series.read(tx, "job_1", ["loss", "top1_error"], 50, 4)
    assert set(found) == {"loss", "top1_error"}
    assert (found["loss"][0][0], found["loss"][-1][0], len(found["loss"])) == (50, 99, 4)
    assert found["top1_error"] == [(50, 0.5)]


def test_an_empty_series_is_no_series(database: Database) -> None:
    with database.read() as tx:
        assert series.read(tx, "job_1", None, 0, 10) == {}


@pytest.mark.parametrize("seed", range(3))
def test_points_are_read_alike_from_rows_and_from_arrays_also_if_steps_are_trained_again(
    database: Database, seed: int
) -> None:
    draw = random.Random(seed)
    expected: dict[str, dict[int, float]] = {"loss": {}, "top1_error": {}}
    with database.write() as tx:
        for start in (0, 40, 20, 70, 0, 65, 130):
            points = [
                (name, step, draw.random())
                for step in range(start, start + draw.randrange(1, 60))
                for name in draw.sample(sorted(expected), draw.randrange(3))
            ]
            series.add(tx, "job_1", points)
            for name, step, value in points:
                expected[name][step] = value
            if draw.random() < 0.6:
                assert series.compact(tx, "job_1", len(expected)) == []
            for since_step, max_points in ((0, 1000), (30, 12)):
                assert series.read(tx, "job_1", None, since_step, max_points) == {
                    name: _chart(points, since_step, max_points)
                    for name, points in expected.items()
                    if max(points, default=-1) >= since_step
                }
        only = series.read(tx, "job_1", ["loss"], 0, 1000)
    assert only == {"loss": sorted(expected["loss"].items())}


def test_compacted_points_have_no_rows_and_those_of_another_job_keep_theirs(
    database: Database,
) -> None:
    with database.write() as tx:
        for job_id in ("job_1", "job_2"):
            series.add(tx, job_id, [("loss", 2**53, 0.1), ("loss", 3, -1e308), ("lr", 0, 5e-324)])
        series.compact(tx, "job_1")
        assert {row.job_id for row in tx.execute(sa.select(metrics.c.job_id))} == {"job_2"}
        charts = [series.read(tx, job_id, None, 0, 1000) for job_id in ("job_1", "job_2")]
    assert charts == [{"loss": [(3, -1e308), (2**53, 0.1)], "lr": [(0, 5e-324)]}] * 2


def test_a_chart_that_is_read_while_its_points_are_moved_has_all_of_them(
    database: Database,
) -> None:
    def compact(*_: object) -> None:
        with database.write() as tx:
            series.compact(tx, "job_1")

    with database.write() as tx:
        series.add(tx, "job_1", [("loss", step, 0.5) for step in range(9)])
    with database.read() as reader:
        sa.event.listen(reader, "after_cursor_execute", compact, once=True)
        assert len(series.read(reader, "job_1", None, 0, 1000)["loss"]) == 9
    with database.read() as tx:
        assert _rows_of(tx) == {}


def test_all_points_of_a_deleted_job_are_deleted(database: Database) -> None:
    with database.write() as tx:
        for job_id in ("job_1", "job_2"):
            series.add(tx, job_id, [("loss", 1, 0.5)])
            series.compact(tx, job_id)
            series.add(tx, job_id, [("loss", 2, 0.5)])
        series.delete_of_job(tx, "job_1")
        assert series.read(tx, "job_1", None, 0, 10) == {}
        assert series.read(tx, "job_2", None, 0, 10) == {"loss": [(1, 0.5), (2, 0.5)]}


def test_a_database_that_goes_back_to_the_version_before_arrays_has_each_point_in_a_row(
    database: Database,
) -> None:
    with database.write() as tx:
        series.add(tx, "job_1", [("loss", 1, 0.25), ("loss", 2**40, 0.5), ("lr", 1, 3.0)])
        series.compact(tx, "job_1")
        series.add(tx, "job_1", [("loss", 2**40, 0.75)])
    with database.migrate() as tx:
        downgrade(tx, "0008")
        assert "series_arrays" not in sa.inspect(tx).get_table_names()
        assert _rows_of(tx) == {("loss", 1): 0.25, ("loss", 2**40): 0.75, ("lr", 1): 3.0}


def _chart(points: dict[int, float], since_step: int, max_points: int) -> list[tuple[int, float]]:
    pairs = sorted(pair for pair in points.items() if pair[0] >= since_step)
    return [pairs[each] for each in chosen_points([value for _, value in pairs], max_points)]


def _rows_of(tx: Connection) -> dict[tuple[str, int], float]:
    return {(row.name, row.step): row.value for row in tx.execute(sa.select(metrics))}
