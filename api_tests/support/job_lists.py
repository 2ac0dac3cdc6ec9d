"""The list of jobs as the routes have it, in a transaction of a test."""

from typing import Any

from sqlalchemy import Connection

from service.contract.jobs import Job
from service.control.jobs import views
from service.store.job_pages import PageRequest, rows_by_id
from service.store.job_reading import job_of_row, select_jobs
from service.store.job_search import JobFilter


def newest_jobs(
    tx: Connection, *, after: str | None = None, limit: int = 10_000, **wanted: Any
) -> list[Job]:
    """At most `limit` jobs that a `JobFilter` with these fields means, newest first."""
    request = PageRequest(JobFilter(**wanted), after=after, limit=limit)
    rows = rows_by_id(tx, select_jobs(tx), request)[:limit]
    return [view.job for view in views.views_of(tx, [job_of_row(row) for row in rows])]
