"""`POST /jobs/bulk` refuses a call that cannot be meant, by the field that is wrong."""

from typing import Any

import pytest

from api_tests.support.job_yard import JobYard
from api_tests.support.problems import problem_of
from api_tests.support.shared_yard import yard

__all__ = ["yard"]

MANY_PARAMETERS = {f"param.p{number}": "1" for number in range(70)}


@pytest.mark.parametrize(
    ("body", "pointer", "detail"),
    [
        ({"action": "cancel"}, "", "ids or by filter"),
        ({"action": "cancel", "ids": ["a"], "filter": {}}, "", "ids or by filter"),
        ({"action": "stop", "ids": ["a"]}, "/action", "'cancel', 'pause'"),
        ({"action": "cancel", "ids": []}, "/ids", "at least 1 item"),
        ({"action": "cancel", "ids": ["a"] * 1001}, "/ids", "at most 1000 items"),
        ({"action": "cancel", "ids": ["a"], "mode": "later"}, "/mode", "'graceful' or 'now'"),
        ({"action": "pause", "ids": ["a"], "mode": "now"}, "", "mode is for the action cancel"),
        ({"action": "retry", "ids": ["a"], "priority": 1}, "", "for the action priority"),
        ({"action": "label", "ids": ["a"]}, "", "the action label needs labels"),
        ({"action": "label", "ids": ["a"], "labels": {}}, "/labels", "at least 1 item"),
        ({"action": "priority", "ids": ["a"]}, "", "the action priority needs priority"),
        ({"action": "priority", "ids": ["a"], "priority": "1"}, "/priority", "whole number"),
        ({"action": "cancel", "filter": {"limit": 5}}, "/filter/limit", "not known"),
        ({"action": "cancel", "filter": {"stat": "queued"}}, "/filter/stat", "mean state?"),
        ({"action": "cancel", "filter": {"state": "nix"}}, "/filter/state/0", "'queued'"),
        ({"action": "cancel", "filter": {"q": ""}}, "/filter/q", "at least 1 character"),
        ({"action": "cancel", "filter": {"state": []}}, "/filter/state", "at least 1 item"),
        ({"action": "delete", "filter": {"label": []}}, "/filter/label", "at least 1 item"),
        ({"action": "cancel", "filter": MANY_PARAMETERS}, "/filter/param.p64", "at most 64"),
        ({"action": "cancel", "filter": {}, "limit": 1001}, "/limit", "less than or equal to 1000"),
        ({"action": "cancel", "ids": ["a"], "limit": 5}, "", "limit is for a filter"),
        (
            {"action": "cancel", "filter": {}, "after": "job_1"},
            "",
            "after is for a call with limit",
        ),
        *(
            (
                {"action": "cancel", "filter": {}, "limit": 1, "after": after},
                "/after",
                "must be the id of a job",
            )
            # As text they are after every job, or before every one.
            for after in ("xjob_0004", "Job_0004", "zzz", "0")
        ),
        ({"action": "cancel", "idz": ["a"]}, "/idz", "did you mean ids?"),
    ],
    ids=str,
)
def test_a_call_on_many_jobs_that_cannot_be_meant_is_refused_by_its_field(
    yard: JobYard, body: dict[str, Any], pointer: str, detail: str
) -> None:
    problem = problem_of(yard.http.post("/jobs/bulk", json=body), 422, "invalid")
    details = {each["pointer"]: each["detail"] for each in problem["errors"]}
    assert detail in details[pointer], details
