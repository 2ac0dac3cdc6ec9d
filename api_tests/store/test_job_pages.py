"""What SQLite reads for a page of jobs, its counts and a search."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Connection

from api_tests.support.query_plans import plan_of
from service.contract.jobs import JobState
from service.store import jobs
from service.store.engine import Database
from service.store.job_pages import PageRequest, rows_by_id
from service.store.job_reading import select_jobs
from service.store.job_search import SHOWN_JOBS, JobFilter, count_by_state


def _page(**wanted: Any) -> Callable[[Connection], object]:
    request = PageRequest(JobFilter(**wanted))
    return lambda tx: rows_by_id(tx, select_jobs(tx), request)


@pytest.mark.parametrize(
    ("call", "index"),
    [
        (_page(), "sqlite_autoindex_jobs_1"),
        (_page(includes_parts=False), "ix_jobs_shown"),
        (_page(states=(JobState.FAILED,)), "ix_jobs_state_id"),
        (_page(recipe="oneshot"), "ix_jobs_recipe_id_state"),
        (_page(kinds=("eval",)), "ix_jobs_kind_id_state"),
        (lambda tx: count_by_state(tx, JobFilter()), "COVERING INDEX ix_jobs_state_id"),
        (lambda tx: count_by_state(tx, SHOWN_JOBS), "COVERING INDEX ix_jobs_state_id"),
        (
            lambda tx: count_by_state(tx, JobFilter(kinds=("train",), includes_parts=False)),
            "COVERING INDEX ix_jobs_kind_id_state",
        ),
        (
            lambda tx: count_by_state(tx, JobFilter(kinds=("train", "eval"))),
            "COVERING INDEX ix_jobs_kind_id_state",
        ),
        (lambda tx: jobs.of_source(tx, "export", "ckpt_1"), "ix_jobs_source_checkpoint"),
    ],
)
def test_a_page_and_its_counts_are_read_by_their_index(
    sqlite: Database, call: Callable[[Connection], object], index: str
) -> None:
    with sqlite.write() as tx:
        plan = plan_of(tx, lambda: call(tx))
    assert any(index in step for step in plan), plan


@pytest.mark.parametrize(
    "wanted",
    [
        {"kinds": ("train", "eval")},
        {"kinds": ("train", "eval", "search"), "includes_parts": False},
        {"states": (JobState.QUEUED, JobState.RUNNING)},
        {"text": "vision"},
        {"parameters": (("learning_rate", "0.5"),)},
    ],
    ids=str,
)
def test_whole_rows_are_read_for_the_jobs_of_the_page_alone(
    sqlite: Database, wanted: dict[str, Any]
) -> None:
    with sqlite.write() as tx:
        plan = plan_of(tx, lambda: _page(**wanted)(tx))
    assert plan[0] == "SEARCH jobs USING INDEX sqlite_autoindex_jobs_1 (id=?)", plan
