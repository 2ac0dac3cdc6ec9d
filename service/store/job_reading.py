"""Jobs read from their rows: what another version or a fault has left in one stops no list.

Most rows that are read were read before: lists and polls ask for the same jobs again and again.
What a row stands for follows from its columns alone, so it is kept by them.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from pydantic import TypeAdapter, ValidationError
from sqlalchemy import JSON, Column, ColumnElement, Connection, Row, Select, Text, cast, select
from sqlalchemy import type_coerce as read_as

from service.contract.jobs import Job, JobState, Progress, Reason
from service.contract.reading import log_once, log_unknown_fields, member
from service.contract.specs import AnySpec, Resources
from service.contract.stored_specs import StoredSpec, UnreadableSpec
from service.domain.offers import JobNeeds
from service.store.engine import json_or_text
from service.store.job_needs import needs_of_column
from service.store.job_rows import StoredJob
from service.store.polled_rows import PolledRows
from service.store.schema import Utc
from service.store.tables import jobs

_MOST_KEPT = 512
_SPEC: TypeAdapter[AnySpec | UnreadableSpec] = TypeAdapter(StoredSpec)
_UNKNOWN_MOMENT = datetime(1970, 1, 1, tzinfo=UTC)
_OF_PROGRESS = ("progress", "metrics", "version")
"""What each report of a running job changes: these columns come first."""
_COLUMNS = sorted(jobs.c, key=lambda column: column.name not in _OF_PROGRESS)
_NAMES = tuple(column.name for column in _COLUMNS)
_READ_BELOW = ("spec", "progress", "labels", "metrics", "result", "state", "reason")
_MOMENTS = tuple(column.name for column in jobs.c if isinstance(column.type, Utc))
_SHOWN = tuple(n for n in Job.model_fields if n in _NAMES and n not in (*_READ_BELOW, *_MOMENTS))


def select_jobs(tx: Connection) -> Select[Any]:
    """The query of the rows that `job_of_row` reads, to be narrowed."""
    return _QUERIES[tx.dialect.name]


def job_of_row(row: Row[Any]) -> StoredJob:
    """The job of a row, read as far as this version understands it."""
    return _job_of(tuple(row))


@dataclass(frozen=True)
class PolledJob:
    """A job whose report of progress has changed `progress`, `metrics` and `version` alone.

    `others` are the other columns of its row, as the driver gives them.
    """

    progress: Progress
    metrics: dict[str, float]
    version: int
    others: tuple[Any, ...]


def polled_version(rows: PolledRows, job_id: str) -> tuple[int, JobState] | None:
    """The version of a job, which counts its changes, and its state."""
    row = rows.row(_VERSION, job_id)
    return (row[0], member(JobState, row[1])) if row is not None else None


def polled_job(rows: PolledRows, job_id: str) -> PolledJob | None:
    """A job as a poll reads it."""
    row = rows.row(_POLL[rows.dialect], job_id)
    if row is None:
        return None
    named = {"id": job_id, "metrics": row[1], "version": row[2]}
    return PolledJob(_progress(row[0]), _metrics(named), _whole(named, "version"), row[3:])


def job_of_others(others: tuple[Any, ...]) -> StoredJob:
    """The job of a `PolledJob`, as if it had reported nothing yet."""
    return _job_of(('{"total_steps":0}', "{}", 0, *others))


def _as_text(column: Column[Any], dialect: str) -> ColumnElement[Any]:
    if isinstance(column.type, JSON):
        # The driver of PostgreSQL would parse it.
        return cast(column, Text).label(column.name) if dialect == "postgresql" else _raw(column)
    return _raw(column) if isinstance(column.type, Utc) else column


def _raw(column: Column[Any]) -> ColumnElement[Any]:
    # SQLAlchemy would stop a whole list at what it cannot convert.
    return read_as(column, Text).label(column.name)


def _polled(column: Column[Any], dialect: str) -> str:
    is_parsed = dialect == "postgresql" and isinstance(column.type, JSON)
    return f"{column.name}::text" if is_parsed else column.name


_QUERIES: dict[str, Select[Any]] = {
    dialect: select(*(_as_text(column, dialect) for column in _COLUMNS))
    for dialect in ("sqlite", "postgresql")
}


_VERSION = "SELECT version, state FROM jobs WHERE id = ?"
_POLL = {
    dialect: f"SELECT {', '.join(_polled(column, dialect) for column in _COLUMNS)} "
    "FROM jobs WHERE id = ?"
    for dialect in ("sqlite", "postgresql")
}


@lru_cache(maxsize=_MOST_KEPT)
def _job_of(columns: tuple[Any, ...]) -> StoredJob:
    row = dict(zip(_NAMES, columns, strict=True))
    spec = _spec(row)
    job = Job.model_construct(
        **{name: row[name] for name in _SHOWN}
        | {
            "created_at": _moment(row, "created_at") or _UNKNOWN_MOMENT,
            "started_at": _moment(row, "started_at"),
            "finished_at": _moment(row, "finished_at"),
            "attempt": _whole(row, "attempt"),
            "version": _whole(row, "version"),
            "labels": _labels(row),
            "metrics": _metrics(row),
            "result": _result(row),
            "state": member(JobState, row["state"]),
            "reason": member(Reason, row["reason"]) if row["reason"] else None,
            "spec": spec,
            "unreadable": spec.problem if isinstance(spec, UnreadableSpec) else None,
            "progress": _progress(row["progress"]),
        }
    )
    return StoredJob(
        job=job,
        needs=_needs(row),
        failures=_whole(row, "failures"),
        worker_losses=_whole(row, "worker_losses"),
        not_before=_moment(row, "not_before"),
        stop_mode=row["stop_mode"],
        source_checkpoint=row["source_checkpoint"],
    )


@lru_cache(maxsize=_MOST_KEPT)
def _spec_of(column: str) -> AnySpec | UnreadableSpec:
    # While a job runs its row changes with each report, and its spec never.
    spec = _SPEC.validate_python(json_or_text(column))
    log_unknown_fields(spec)
    return spec


def _spec(row: dict[str, Any]) -> AnySpec | UnreadableSpec:
    spec = _spec_of(row["spec"])
    if not isinstance(spec, UnreadableSpec):
        return spec
    log_once("unreadable_spec", f"{row['id']}: {spec.problem}")
    needs = _needs(row)
    columns = {
        "kind": row["kind"],
        "name": row["name"],
        "labels": _labels(row),
        "priority": -_whole(row, "queue_order"),
        "resources": Resources(gpus=needs.gpus, labels=dict(needs.labels)),
    }
    return spec.model_copy(update=columns)


def _needs(row: dict[str, Any]) -> JobNeeds:
    return needs_of_column(row["needs"], _whole(row, "gpus"))


def _moment(row: dict[str, Any], name: str) -> datetime | None:
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


def _whole(row: dict[str, Any], name: str) -> int:
    stored = row[name]
    if isinstance(stored, int):
        return stored
    log_once("unreadable_number", f"{row['id']}: {name} {stored!r:.200}")
    return 0


def _labels(row: dict[str, Any]) -> dict[str, str]:
    stored = json_or_text(row["labels"])
    labels = {key: each for key, each in _object(stored).items() if isinstance(each, str)}
    if labels != stored:
        log_once("unreadable_labels", f"{row['id']}: {stored!r:.200}")
    return labels


def _metrics(row: dict[str, Any]) -> dict[str, float]:
    stored = json_or_text(row["metrics"])
    metrics = {
        name: each
        for name, each in _object(stored).items()
        if isinstance(each, int | float) and not isinstance(each, bool)
    }
    if metrics != stored:
        log_once("unreadable_metrics", f"{row['id']}: {stored!r:.200}")
    return metrics


def _result(row: dict[str, Any]) -> dict[str, Any] | None:
    stored = json_or_text(row["result"]) if row["result"] is not None else None
    if stored is None or isinstance(stored, dict):
        return stored
    log_once("unreadable_result", f"{row['id']}: {stored!r:.200}")
    return None


def _object(stored: Any) -> dict[str, Any]:
    return stored if isinstance(stored, dict) else {}


def _progress(column: str) -> Progress:
    try:
        return Progress.model_validate(json_or_text(column))
    except ValidationError:
        log_once("unreadable_progress", str(column)[:200])
        return Progress(total_steps=0)
