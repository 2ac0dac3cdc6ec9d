"""Pages of the list of jobs, and how many jobs of each state the list has."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, Row, Select

from service.contract.errors import FieldProblem
from service.contract.jobs import Job, JobState
from service.contract.model_json import json_of
from service.control.jobs import views
from service.control.jobs.permitted_actions import seen_by
from service.control.jobs.views import JobView
from service.domain.access import SERVER, Caller
from service.domain.errors import InvalidFields
from service.domain.job_cursors import JobCursor, NoCursor, cursor_of
from service.store.job_columns import FIELDS, job_of_columns, select_columns
from service.store.job_pages import PageRequest, ids_in_order, rows_by_id, rows_of_ids
from service.store.job_reading import job_of_short_row, select_short_jobs
from service.store.job_search import count_by_state

_MOST_KEPT = 512


@dataclass(frozen=True)
class JobCounts:
    """How many jobs the whole list has: by state, whatever states it is narrowed to, and in all."""

    by_state: Mapping[str, int]
    total: int


@dataclass(frozen=True)
class JobPage:
    """The JSON of each job of a page, and where the next page begins, if there is one.

    The first page has the counts.
    """

    jobs: Sequence[bytes]
    next: str | None
    counts: JobCounts | None


def page(tx: Connection, request: PageRequest, now: datetime, reader: Caller = SERVER) -> JobPage:
    """A page of jobs as one reader is shown it; raises InvalidFields for another list's `after`."""
    columns, is_partial = select_short_jobs(tx), False
    if request.fields is not None and request.fields <= FIELDS:
        columns, is_partial = select_columns(tx, request.fields), True
    rows, following = _rows(tx, columns, request, now)
    jobs = _partial_jobs(rows, request) if is_partial else _whole_jobs(tx, rows, request, reader)
    return JobPage(jobs, following, _counts(tx, request) if request.after is None else None)


def jobs_of_page(
    tx: Connection, request: PageRequest, now: datetime
) -> tuple[list[Job], str | None]:
    """The jobs of a page as their rows are, and where the next one begins, if there is one."""
    rows, following = _rows(tx, select_short_jobs(tx), request, now)
    return [job_of_short_row(row).job for row in rows], following


def _rows(
    tx: Connection, columns: Select[Any], request: PageRequest, now: datetime
) -> tuple[Sequence[Row[Any]], str | None]:
    """The rows of a page, and where the next one begins."""
    if request.is_by_id:
        _check_id(request.after)
        rows = rows_by_id(tx, columns, request)
        has_more = len(rows) > request.limit
        return rows[: request.limit], rows[request.limit - 1].id if has_more else None
    cursor = _cursor(request)
    read_at = (cursor.read_at if cursor is not None else None) or now
    ordered = ids_in_order(tx, request, cursor, read_at)
    shown = ordered[: request.limit]
    following = _text_after(*shown[-1], request, read_at) if len(ordered) > len(shown) else None
    return rows_of_ids(tx, columns, [job_id for job_id, _ in shown]), following


def _check_id(after: str | None) -> None:
    if after is not None and not after.startswith("job_"):
        detail = "must be the id of a job: this list is in the order of created_at"
        raise InvalidFields([FieldProblem(pointer="/after", detail=detail)])


def _cursor(request: PageRequest) -> JobCursor | None:
    if request.after is None:
        return None
    try:
        return cursor_of(request.after, request.order_by)
    except NoCursor as error:
        raise InvalidFields([FieldProblem(pointer="/after", detail=str(error))]) from None


def _text_after(job_id: str, value: Decimal | None, request: PageRequest, read_at: datetime) -> str:
    moment = read_at if request.is_by_duration else None
    return JobCursor(request.order_by, value, job_id, moment).text


def _partial_jobs(rows: Sequence[Row[Any]], request: PageRequest) -> list[bytes]:
    fields = set(request.fields or ())
    return [json_of(job_of_columns(row), of=fields) for row in rows]


def _whole_jobs(
    tx: Connection, rows: Sequence[Row[Any]], request: PageRequest, reader: Caller
) -> list[bytes]:
    drawn = views.views_of(tx, [job_of_short_row(row) for row in rows])
    if request.fields is None:
        return [each.json_for(reader) for each in drawn]
    return [_json_of_view(each, request.fields, reader) for each in drawn]


@lru_cache(maxsize=_MOST_KEPT)
def _json_of_view(view: JobView, fields: frozenset[str], reader: Caller) -> bytes:
    # The view of a job that has not changed is the same object: see `service.control.jobs.views`.
    return json_of(seen_by(view.job, reader), of=set(fields))


def _counts(tx: Connection, request: PageRequest) -> JobCounts:
    counted = count_by_state(tx, request.job_filter)
    wanted = request.job_filter.states or counted.keys()
    by_state = {state.value: 0 for state in JobState} | counted
    return JobCounts(by_state, sum(by_state[state] for state in set(wanted)))
