"""`GET /jobs` in an order that is asked for: its pages, and the cursors between them."""

import base64
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from api_tests.support.four_jobs import FIRST, FOURTH, SECOND, THIRD
from api_tests.support.job_yard import JobYard
from api_tests.support.problems import problem_of

NOW = datetime(2026, 1, 2, tzinfo=UTC)


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        ("created_at", [FIRST, SECOND, THIRD, FOURTH]),
        ("-created_at", [FOURTH, THIRD, SECOND, FIRST]),
        ("priority", [FOURTH, FIRST, THIRD, SECOND]),
        ("-priority", [SECOND, THIRD, FIRST, FOURTH]),
        ("metrics.loss", [SECOND, FIRST, THIRD, FOURTH]),
        ("-metrics.loss", [THIRD, FIRST, SECOND, FOURTH]),
        ("duration", [THIRD, FIRST, FOURTH, SECOND]),
        ("-duration", [FOURTH, FIRST, THIRD, SECOND]),
        ("-metrics.no such", [FOURTH, THIRD, SECOND, FIRST]),
    ],
)
def test_the_pages_of_an_order_have_every_job_once_and_those_without_the_value_last(
    ordered: JobYard, order: str, expected: list[str]
) -> None:
    for limit, fields in ((1, {"fields": "id"}), (3, {}), (4, {})):
        seen: list[str] = []
        after: dict[str, str] = {}
        while True:
            page = ordered.listed(order_by=order, limit=limit, **fields, **after)
            seen += [job["id"] for job in page["data"]]
            if not page["has_more"]:
                break
            after = {"after": page["next"]}
            ordered.clock.advance(timedelta(days=-1))
        assert seen == expected
        assert page["next"] is None
        ordered.clock.now = NOW


@pytest.fixture(scope="module")
def ordered(four_jobs: JobYard) -> JobYard:
    """The four, with rows as runs would leave them; no other test asks for these columns."""
    yard, now = four_jobs, NOW
    yard.clock.now = NOW
    for job_id, priority in ((FIRST, 1), (SECOND, 7), (THIRD, 1), (FOURTH, -3)):
        yard.fill(job_id, queue_order=-priority)
    for job_id, loss in ((FIRST, 0.3), (SECOND, 1 / 3 - 0.3), (THIRD, 0.3), (FOURTH, "low")):
        yard.fill(job_id, metrics={"loss": loss, "no": 1})
    yard.fill(FIRST, started_at=now, finished_at=now + timedelta(seconds=9.5))
    yard.fill(THIRD, started_at=now, finished_at=now + timedelta(seconds=9))
    # It runs: the clock that goes on between the pages moves no job.
    yard.fill(FOURTH, started_at=now - timedelta(seconds=9.75), finished_at=None)
    return yard


def test_a_cursor_of_another_order_is_refused(four_jobs: JobYard) -> None:
    cursor = four_jobs.listed(order_by="priority", limit=1)["next"]
    query = {"order_by": "-priority", "after": cursor}
    problem = problem_of(four_jobs.http.get("/jobs", params=query), 422, "invalid")
    assert "the order -priority" in problem["detail"]


@pytest.mark.parametrize(
    "parts",
    [
        ["duration", "1e999999", FIRST, "2026-01-01T00:00:00+00:00"],
        ["duration", "1", "\ud800", "2026-01-01T00:00:00+00:00"],
        ["duration", "1", FIRST, "0001-01-01T00:00:00+23:59"],
        ["duration", "1", FIRST, "9999-12-31T23:59:59-23:59"],
    ],
    ids=str,
)
def test_a_cursor_that_no_database_can_hold_is_refused(
    four_jobs: JobYard, parts: list[str]
) -> None:
    after = "after_" + base64.urlsafe_b64encode(json.dumps(parts).encode()).decode().rstrip("=")
    query = {"order_by": "duration", "after": after}
    problem = problem_of(four_jobs.http.get("/jobs", params=query), 422, "invalid")
    assert "`next` of a page" in problem["detail"]


def test_a_page_after_the_largest_number_can_be_asked_for(yard: JobYard) -> None:
    order = "-metrics." + "x" * 64
    for job_id, value in ((FIRST, 1.7976931348623157e308), (SECOND, 5e-324)):
        yard.fill(job_id, metrics={"x" * 64: value})
    first = yard.listed(order_by=order, limit=1)
    second = yard.listed(order_by=order, limit=1, after=first["next"])
    third = yard.listed(order_by=order, limit=1, after=second["next"])
    shown = [page["data"][0]["id"] for page in (first, second, third)]
    assert shown == [FIRST, SECOND, FOURTH]


def test_a_page_in_an_order_is_the_same_while_no_job_changes(four_jobs: JobYard) -> None:
    query: dict[str, Any] = {"order_by": "priority", "limit": 1}
    etag = four_jobs.http.get("/jobs", params=query).headers["etag"]
    four_jobs.clock.advance(timedelta(seconds=1))
    again = four_jobs.http.get("/jobs", params=query, headers={"If-None-Match": etag})
    four_jobs.clock.advance(timedelta(seconds=-1))
    assert again.status_code == 304
