"""The columns of a job's row, each read as far as this version understands it."""

from collections.abc import Callable, Collection
from datetime import UTC, datetime
from operator import itemgetter
from typing import Any

from pydantic import ValidationError
from sqlalchemy import (
    JSON,
    Column,
    ColumnElement,
    Connection,
    Integer,
    Row,
    Select,
    Text,
    cast,
    select,
)
from sqlalchemy import type_coerce as read_as

from service.contract.jobs import Job, JobState, Progress, Reason
from service.contract.reading import log_once, member
from service.store.json_columns import json_or_text
from service.store.schema import Utc
from service.store.tables import jobs

_UNKNOWN_MOMENT = datetime(1970, 1, 1, tzinfo=UTC)


def as_text(column: Column[Any], dialect: str) -> ColumnElement[Any]:
    """A column as its reader takes it: JSON and, on SQLite, moments as text."""
    if isinstance(column.type, JSON):
        # The driver of PostgreSQL would parse it.
        return cast(column, Text).label(column.name) if dialect == "postgresql" else _raw(column)
    return _raw(column) if isinstance(column.type, Utc) else column


def select_columns(tx: Connection, fields: Collection[str]) -> Select[Any]:
    """The query of the columns of some fields, all of FIELDS, and of the id; to be narrowed."""
    names = [column.name for column in jobs.c if column.name in fields or column.name == "id"]
    return select(*(as_text(jobs.c[name], tx.dialect.name) for name in names))


def job_of_columns(row: Row[Any]) -> Job:
    """The job of a row that has some columns, with the fields of these columns alone."""
    columns = row._asdict()
    return Job.model_construct(**{name: READERS[name](columns) for name in columns})


def moment_of(row: dict[str, Any], name: str) -> datetime | None:
    """A moment in UTC; None for none, and for what is none."""
    stored = row[name]
    try:
        moment = datetime.fromisoformat(stored) if isinstance(stored, str) else stored
        if moment is None:
            return None
        # SQLite has no zones: what is stored there is in UTC.
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError, AttributeError):
        log_once("unreadable_moment", f"{row['id']}: {name} {stored!r:.200}")
        return None


def whole_of(row: dict[str, Any], name: str) -> int:
    """A whole number; 0 for what is none."""
    stored = row[name]
    if isinstance(stored, int):
        return stored
    log_once("unreadable_number", f"{row['id']}: {name} {stored!r:.200}")
    return 0


def labels_of(row: dict[str, Any]) -> dict[str, str]:
    """The labels, without those that are no text."""
    stored = json_or_text(row["labels"])
    labels = {key: each for key, each in _object(stored).items() if isinstance(each, str)}
    if labels != stored:
        log_once("unreadable_labels", f"{row['id']}: {stored!r:.200}")
    return labels


def metrics_of(row: dict[str, Any]) -> dict[str, float]:
    """The metrics, without those that are no number."""
    stored = json_or_text(row["metrics"])
    metrics = {
        name: each
        for name, each in _object(stored).items()
        if isinstance(each, int | float) and not isinstance(each, bool)
    }
    if metrics != stored:
        log_once("unreadable_metrics", f"{row['id']}: {stored!r:.200}")
    return metrics


def result_of(row: dict[str, Any]) -> dict[str, Any] | None:
    """The result; None for none, and for what is no object."""
    stored = json_or_text(row["result"]) if row["result"] is not None else None
    if stored is None or isinstance(stored, dict):
        return stored
    log_once("unreadable_result", f"{row['id']}: {stored!r:.200}")
    return None


def texts_of(column: str | None) -> frozenset[str]:
    """The texts of a list; none for none, and for what is no list."""
    stored = json_or_text(column) if column is not None else None
    listed = stored if isinstance(stored, list) else []
    return frozenset(each for each in listed if isinstance(each, str))


def progress_of(column: str) -> Progress:
    """The progress; that of a job which has not begun, for what is none."""
    try:
        return Progress.model_validate(json_or_text(column))
    except ValidationError:
        log_once("unreadable_progress", str(column)[:200])
        return Progress(total_steps=0)


def _reader(column: Column[Any]) -> Callable[[dict[str, Any]], Any]:
    name = column.name
    if isinstance(column.type, Utc):
        return lambda row: moment_of(row, name)
    if isinstance(column.type, Integer):
        return lambda row: whole_of(row, name)
    return itemgetter(name)


_FROM_COLUMNS = [name for name in Job.model_fields if name in jobs.c and name != "spec"]
READERS: dict[str, Callable[[dict[str, Any]], Any]] = {
    **{name: _reader(jobs.c[name]) for name in _FROM_COLUMNS},
    "created_at": lambda row: moment_of(row, "created_at") or _UNKNOWN_MOMENT,
    "labels": labels_of,
    "metrics": metrics_of,
    "result": result_of,
    "state": lambda row: member(JobState, row["state"]),
    "reason": lambda row: member(Reason, row["reason"]) if row["reason"] else None,
    "progress": lambda row: progress_of(row["progress"]),
}
"""By name of a field of a job that is read from the column of that name: how."""
FIELDS = frozenset({*READERS, "object"})
"""The fields of a job that are read without its specification and without other rows."""


def _raw(column: Column[Any]) -> ColumnElement[Any]:
    # SQLAlchemy would stop a whole list at what it cannot convert.
    return read_as(column, Text).label(column.name)


def _object(stored: Any) -> dict[str, Any]:
    return stored if isinstance(stored, dict) else {}
