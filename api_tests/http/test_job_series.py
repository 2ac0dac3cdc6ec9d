"""`GET /jobs/series`: one series of each of many jobs, for a list that draws it beside them."""

import pytest

from api_tests.support.job_yard import JobYard
from api_tests.support.problems import problem_of
from api_tests.support.sent_statements import sent_statements
from api_tests.support.shared_yard import yard
from service.store import series

__all__ = ["yard"]


def measure(yard: JobYard, job_id: str, steps: range, *, compact: bool = False) -> None:
    with yard.database.write() as tx:
        series.add(tx, job_id, [("loss", step, step % 7 / 8) for step in steps])
        series.add(tx, job_id, [("other", step, 1.0) for step in steps])
        if compact:
            series.compact(tx, job_id, 2)


def test_each_job_has_the_points_of_its_chart_wherever_they_are_stored(yard: JobYard) -> None:
    in_arrays, in_rows, in_both, without = (yard.submit() for _ in range(4))
    measure(yard, in_arrays, range(500), compact=True)
    measure(yard, in_rows, range(3))
    measure(yard, in_both, range(0, 60, 2), compact=True)
    measure(yard, in_both, range(50, 70))
    ids = [in_both, without, in_arrays, "job_none", in_rows]
    query = {"ids": ",".join(ids), "name": "loss", "max_points": 10}
    shown = yard.http.get("/jobs/series", params=query).json()
    assert shown["object"] == "list"
    assert [each["id"] for each in shown["data"]] == ids
    for each in shown["data"]:
        chart = yard.http.get(f"/jobs/{each['id']}/metrics", params={"max_points": 10})
        points = chart.json().get("series", {}).get("loss", [])
        assert each["points"] == points
        assert (len(points) > 0) is (each["id"] not in (without, "job_none"))


def test_a_list_that_has_not_changed_is_a_304_and_one_that_has_is_read_again(yard: JobYard) -> None:
    first, second = yard.submit(), yard.submit()
    measure(yard, first, range(3))
    query = {"ids": f"{first},{second}"}
    answer = yard.http.get("/jobs/series", params=query)
    known = {"If-None-Match": answer.headers["etag"]}
    with sent_statements() as sent:
        assert yard.http.get("/jobs/series", params=query, headers=known).status_code == 304
        assert len([each for each in sent if not each.startswith("BEGIN")]) == 1
    measure(yard, second, range(2))
    yard.fill(second, version=2)
    changed = yard.http.get("/jobs/series", params=query, headers=known)
    assert [len(each["points"]) for each in changed.json()["data"]] == [3, 2]


@pytest.mark.parametrize(
    ("query", "detail"),
    [
        ({}, "required"),
        ({"ids": "a," * 100 + "a"}, "at most 100 ids"),
        ({"ids": "a,,b"}, "match pattern"),
        ({"ids": "a b"}, "match pattern"),
        ({"ids": "a", "max_points": "201"}, "200"),
        ({"ids": "a", "names": "loss"}, "did you mean name?"),
    ],
)
def test_a_request_for_series_that_cannot_be_meant_is_refused(
    yard: JobYard, query: dict[str, str], detail: str
) -> None:
    problem = problem_of(yard.http.get("/jobs/series", params=query), 422, "invalid")
    assert detail in problem["detail"]
