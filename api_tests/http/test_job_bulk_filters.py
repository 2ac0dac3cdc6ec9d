"""`POST /jobs/bulk` by a filter: which jobs it means, and how it works them off part by part."""

import pytest

from api_tests.support.job_yard import JobYard
from api_tests.support.problems import pointers_of, problem_of
from api_tests.support.shared_yard import yard
from service.control.jobs import bulk_pages

__all__ = ["yard"]


def test_a_filter_means_the_jobs_that_the_list_shows(yard: JobYard) -> None:
    labels = {"team": "filtered"}
    wanted = [yard.submit(labels=labels, params={"learning_rate": 0.25}) for _ in range(2)]
    yard.submit(labels=labels)
    yard.submit(params={"learning_rate": 0.25})
    narrow = {"label": "team:filtered", "state": ["queued"], "param.learning_rate": 0.25}
    reply = yard.bulk("pause", filter=narrow)
    assert [each["id"] for each in reply["results"]] == wanted[::-1]
    assert yard.bulk("pause", filter=narrow) == {"object": "bulk", "matched": 0, "results": []}
    counts = yard.listed(label="team:filtered")["counts"]
    assert (counts["queued"], counts["paused"]) == (1, 2)


def test_a_filter_that_means_too_many_jobs_changes_none_and_says_how_many(
    yard: JobYard, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk_pages, "MOST_JOBS", 2)
    for _ in range(4):
        yard.submit(labels={"team": "too-many"})
    body = {"action": "cancel", "filter": {"label": "team:too-many"}}
    problem = problem_of(yard.http.post("/jobs/bulk", json=body), 422, "too_many_jobs")
    assert "4 jobs match" in problem["detail"]
    assert '"limit": 2' in problem["detail"]
    assert pointers_of(problem) == ["/filter"]
    assert yard.listed(label="team:too-many")["counts"]["queued"] == 4


def test_a_filter_is_worked_off_part_by_part_and_each_job_once(yard: JobYard) -> None:
    labels = {"team": "part-by-part"}
    old = [yard.submit(labels=labels) for _ in range(5)][::-1]
    wanted = {"label": "team:part-by-part"}
    yard.bulk("cancel", filter=wanted)
    retry = {"filter": wanted, "from": "start", "limit": 2}
    parts = [yard.bulk("retry", **retry)]
    assert (parts[0]["left"], parts[0]["next"]) == (3, old[1])
    while "next" in parts[-1]:
        parts.append(yard.bulk("retry", **retry, after=parts[-1]["next"]))
    # The new jobs have the same label, and are none of those that are meant.
    assert [[each["id"] for each in part["results"]] for part in parts] == [
        old[:2], old[2:4], old[4:],
    ]  # fmt: skip
    assert [part.get("left") for part in parts] == [3, 1, None]
    assert all(each["ok"] for part in parts for each in part["results"])
    counts = yard.listed(label="team:part-by-part")["counts"]
    assert (counts["queued"], counts["cancelled"]) == (5, 5)
