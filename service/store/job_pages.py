"""Pages of jobs in the order that was asked for, each from where the one before ended."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Numeric,
    Row,
    Select,
    and_,
    cast,
    extract,
    func,
    literal,
    or_,
    select,
)

from service.domain.job_cursors import JobCursor
from service.store.job_search import EVERY_JOB, SHOWN_JOBS, JobFilter, conditions, json_number
from service.store.schema import Utc
from service.store.tables import jobs

NEWEST_FIRST, OLDEST_FIRST = "-created_at", "created_at"
"""The orders of ids, which sort by creation: the next page begins after the id of a job."""
_METRIC, _DURATION = "metrics.", "duration"


@dataclass(frozen=True)
class PageRequest:
    """A page of the jobs that a filter means; `fields` are those of a job that it shows.

    In any order but those of ids `after` is the text of a `JobCursor`.
    """

    job_filter: JobFilter = EVERY_JOB
    order_by: str = NEWEST_FIRST
    after: str | None = None
    limit: int = 20
    fields: frozenset[str] | None = None

    @property
    def is_by_id(self) -> bool:
        """Whether it is in an order of ids."""
        return self.order_by in (NEWEST_FIRST, OLDEST_FIRST)

    @property
    def is_by_duration(self) -> bool:
        """Whether the values of jobs that run change with the time."""
        return self.order_by.removeprefix("-") == _DURATION


def rows_by_id(tx: Connection, query: Select[Any], request: PageRequest) -> Sequence[Row[Any]]:
    """The rows of a page in an order of ids; one more than the limit where there are more."""
    falling = request.order_by == NEWEST_FIRST
    by_id = jobs.c.id.desc() if falling else jobs.c.id.asc()
    wanted = conditions(tx.dialect.name, request.job_filter)
    if request.after is not None:
        wanted.append(jobs.c.id < request.after if falling else jobs.c.id > request.after)
    if request.job_filter in (EVERY_JOB, SHOWN_JOBS):
        query = query.where(*wanted).order_by(by_id).limit(request.limit + 1)
    else:
        # Whole rows of the page alone: SQLite may read all that match, and sort them.
        ids = select(jobs.c.id).where(*wanted).order_by(by_id).limit(request.limit + 1)
        query = query.where(jobs.c.id.in_(ids)).order_by(by_id)
    return tx.execute(query).all()


def ids_in_order(
    tx: Connection, request: PageRequest, cursor: JobCursor | None, now: datetime
) -> list[tuple[str, Decimal | None]]:
    """The ids of a page in any other order, each with its value, if it has one: those come first.

    One more than the limit where there are more. A duration that goes on is that until `now`.
    """
    falling = request.order_by.startswith("-")
    dialect = tx.dialect.name
    value = _value(dialect, request.order_by.removeprefix("-"), now)
    query = select(jobs.c.id, value.label("ordered_by"))
    query = query.where(*conditions(dialect, request.job_filter))
    if cursor is not None:
        query = query.where(_is_past(dialect, value, cursor, falling=falling))
    by_value, by_id = (value.desc(), jobs.c.id.desc()) if falling else (value.asc(), jobs.c.id)
    query = query.order_by(by_value.nulls_last(), by_id).limit(request.limit + 1)
    return [(row[0], _decimal(row[1])) for row in tx.execute(query)]


def rows_of_ids(tx: Connection, query: Select[Any], job_ids: Sequence[str]) -> list[Row[Any]]:
    """The rows of jobs in the order of `job_ids`; of a job that is not there any more, none."""
    rows = {row.id: row for row in tx.execute(query.where(jobs.c.id.in_(job_ids)))}
    return [rows[job_id] for job_id in job_ids if job_id in rows]


def _value(dialect: str, order: str, now: datetime) -> ColumnElement[Any]:
    if order.startswith(_METRIC):
        return json_number(dialect, jobs.c.metrics, order.removeprefix(_METRIC))
    if order == "priority":
        return -jobs.c.queue_order
    assert order == _DURATION, "the API allows no other order"
    end = func.coalesce(jobs.c.finished_at, literal(now, Utc))
    if dialect == "sqlite":
        # Days; what is no moment has none.
        return func.julianday(end) - func.julianday(jobs.c.started_at)
    return cast(extract("epoch", end - jobs.c.started_at), Numeric)


def _is_past(
    dialect: str, value: ColumnElement[Any], cursor: JobCursor, *, falling: bool
) -> ColumnElement[bool]:
    is_later = jobs.c.id < cursor.job_id if falling else jobs.c.id > cursor.job_id
    if cursor.value is None:
        return and_(value.is_(None), is_later)
    last = float(cursor.value) if dialect == "sqlite" else cursor.value
    is_beyond: ColumnElement[bool] = value < last if falling else value > last
    return or_(is_beyond, and_(value == last, is_later), value.is_(None))


def _decimal(value: Any) -> Decimal | None:
    if value is None:
        return None
    # The shortest digits of a float are that float again.
    return Decimal(repr(value) if isinstance(value, float) else value)
