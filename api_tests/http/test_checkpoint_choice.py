"""Which checkpoint is meant: sorted, best, tagged, over REST."""

from typing import Any

import httpx
import pytest

from api_tests.support.problems import problem_of
from api_tests.support.runs import Run


@pytest.mark.parametrize(
    ("order", "steps"),
    [
        ("-step", [3, 2, 1]),
        ("step", [1, 2, 3]),
        ("metrics.top1_error", [2, 3, 1]),
        ("-metrics.top1_error", [1, 3, 2]),
        ("metrics.loss", []),
    ],
)
def test_a_list_is_sorted_as_asked_over_all_its_pages(
    run: Run, order: str, steps: list[int]
) -> None:
    assert run.steps(order_by=order) == steps


def test_an_order_that_is_none_is_refused_with_those_there_are(http: httpx.Client) -> None:
    answer = http.get("/checkpoints", params={"order_by": "metrics.beauty"})
    problem = problem_of(answer, 422, "invalid")
    assert "metrics.top1_error" in str(problem)


def test_the_best_is_the_lowest_or_the_highest_of_a_metric(run: Run) -> None:
    query = {"job": run.job_id}
    best = run.http.get("/checkpoints/best", params=query)
    assert best.json()["step"] == 2
    highest = run.http.get("/checkpoints/best", params=query | {"mode": "max"})
    assert highest.json()["step"] == 1
    headers = {"If-None-Match": best.headers["etag"]}
    assert run.http.get("/checkpoints/best", params=query, headers=headers).status_code == 304
    unmeasured = run.http.get("/checkpoints/best", params=query | {"metric": "loss"})
    problem_of(unmeasured, 404, "no_checkpoint")


def test_tags_are_set_once_each_and_narrow_a_list(run: Run) -> None:
    path = f"/checkpoints/{run.id_of(1)}"
    changed = run.http.patch(path, json={"tags": ["paper", "baseline", "paper"]}).json()
    assert (changed["tags"], changed["pinned"]) == (["baseline", "paper"], False)
    assert run.steps(tag="paper") == [1]
    assert run.http.patch(path, json={"tags": ["other"]}).json()["tags"] == ["other"]
    assert run.steps(tag="paper") == []


@pytest.mark.parametrize(
    "tags", [["no space"], [""], ["x" * 64], "paper", [f"t{n}" for n in range(65)]]
)
def test_a_tag_that_is_none_is_refused(run: Run, tags: Any) -> None:
    answer = run.http.patch(f"/checkpoints/{run.id_of(1)}", json={"tags": tags})
    problem_of(answer, 422, "invalid")
