"""A chaos run says so if it shows nothing of the searches among its jobs."""

from typing import Any

import pytest

from api_tests.support.specs import complete_spec
from chaos.jobs import SHORT
from chaos.searches import PROMISING, SearchCounts
from service.contract.jobs import Job, JobState, Progress

JOB: dict[str, Any] = {
    "id": "job_1",
    "kind": "search",
    "state": JobState.SUCCEEDED,
    "attempt": 1,
    "recipe": None,
    "variant": None,
    "spec": complete_spec(SHORT),
    "created_at": "2026-01-01T00:00:00Z",
    "progress": Progress(total_steps=1),
}


def _job(**fields: Any) -> Job:
    return Job(**JOB | fields)


def test_searches_are_counted_by_their_ends_and_attempts() -> None:
    jobs = [
        _job(),
        _job(attempt=2),
        _job(),
        _job(state=JobState.CANCELLED, attempt=2),
        _job(kind="train", attempt=2),
    ]
    # The first one ran before any fault.
    assert SearchCounts.of(jobs, undisturbed=1) == SearchCounts(all=3, succeeded=2, disturbed=1)


@pytest.mark.parametrize(
    ("succeeded", "disturbed", "problem"),
    [(0, 0, "no table was compared"), (5, 0, "was disturbed"), (5, 1, None)],
)
def test_a_run_of_many_searches_is_to_show_one_that_was_disturbed_and_succeeded(
    succeeded: int, disturbed: int, problem: str | None
) -> None:
    half = SearchCounts(PROMISING // 2, succeeded, disturbed)
    assert not list(half.problems())
    rest = SearchCounts(PROMISING // 2)
    problems = list((half + rest).problems())
    assert len(problems) == (problem is not None)
    assert problem is None or problem in problems[0]
