import pytest

from service.store import series
from service.store.engine import Database


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
        assert series.thin_long_ones(tx, "job_1", ["lr", "loss"]) == ["loss"]
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
        assert series.thin_long_ones(tx, "job_1", names, series_count=9) == []
        assert series.thin_long_ones(tx, "job_1", names, series_count=10) == names
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
