"""Jobs read from their rows: what another version or a fault has left in one stops no list.

Most rows that are read were read before: lists and polls ask for the same jobs again and again.
What a row stands for follows from its columns alone, so it is kept by them.

A short row is for what is read in numbers or again and again: the given paths of a search, of which
there may be 20,000, are left where they are, and the job says how many there are.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import (
    JSON,
    Column,
    ColumnElement,
    Connection,
    Integer,
    Row,
    Select,
    Text,
    literal_column,
    select,
)

from service.contract.jobs import Job, JobState, Progress
from service.contract.reading import log_once, log_unknown_fields, member
from service.contract.resources import Resources
from service.contract.specs import AnySpec
from service.contract.stored_specs import StoredSpec, UnreadableSpec
from service.domain.offers import JobNeeds
from service.store.job_columns import (
    READERS,
    as_text,
    labels_of,
    metrics_of,
    moment_of,
    progress_of,
    texts_of,
    whole_of,
)
from service.store.job_needs import needs_of_column
from service.store.job_rows import StoredJob
from service.store.json_columns import json_or_text
from service.store.polled_rows import PolledRows
from service.store.short_specs import GIVEN_PATHS, LEFT_OUT, SHORT_SPEC
from service.store.tables import jobs

_MOST_KEPT = 512
_SPEC: TypeAdapter[AnySpec | UnreadableSpec] = TypeAdapter(StoredSpec)
_OF_PROGRESS = ("progress", "metrics", "version")
"""What each report of a running job changes: these columns come first."""
_COLUMNS = sorted(jobs.c, key=lambda column: column.name not in _OF_PROGRESS)
_NAMES = tuple(column.name for column in _COLUMNS)


def select_jobs(tx: Connection) -> Select[Any]:
    """The query of the rows that `job_of_row` reads, to be narrowed."""
    return _QUERIES[tx.dialect.name]


def job_of_row(row: Row[Any]) -> StoredJob:
    """The job of a row, read as far as this version understands it."""
    return _job_of(tuple(row))


def select_short_jobs(tx: Connection) -> Select[Any]:
    """The query of the rows that `job_of_short_row` reads, to be narrowed."""
    return _SHORT_QUERIES[tx.dialect.name]


def job_of_short_row(row: Row[Any]) -> StoredJob:
    """As `job_of_row`, with what is left out of its spec in `left_out`."""
    columns = tuple(row)
    return _job_of(columns[:-1], columns[-1])


@dataclass(frozen=True)
class PolledJob:
    """A job whose report of progress has changed `progress`, `metrics` and `version` alone.

    `others` are the other columns of its row, as the driver gives them; `left_out` is how many
    given paths they are without, None for none.
    """

    progress: Progress
    metrics: dict[str, float]
    version: int
    others: tuple[Any, ...]
    left_out: int | None


def polled_version(rows: PolledRows, job_id: str) -> tuple[int, JobState] | None:
    """The version of a job, which counts its changes, and its state."""
    row = rows.row(_VERSION, job_id)
    return (row[0], member(JobState, row[1])) if row is not None else None


def polled_job(rows: PolledRows, job_id: str, *, is_short: bool = False) -> PolledJob | None:
    """A job as a poll reads it, whole or as a short row."""
    row = rows.row((_SHORT_POLL if is_short else _POLL)[rows.dialect], job_id)
    if row is None:
        return None
    named = {"id": job_id, "metrics": row[1], "version": row[2]}
    *others, left_out = row[3:]
    progress, version = progress_of(row[0]), whole_of(named, "version")
    return PolledJob(progress, metrics_of(named), version, tuple(others), left_out)


def job_of_others(others: tuple[Any, ...], left_out: int | None = None) -> StoredJob:
    """The job of a `PolledJob`, as if it had reported nothing yet."""
    return _job_of(('{"total_steps":0}', "{}", 0, *others), left_out)


def _polled(column: Column[Any], dialect: str) -> str:
    is_parsed = dialect == "postgresql" and isinstance(column.type, JSON)
    return f"{column.name}::text" if is_parsed else column.name


def _short(column: Column[Any], dialect: str) -> ColumnElement[Any]:
    if column.name != "spec":
        return as_text(column, dialect)
    return literal_column(SHORT_SPEC[dialect], Text).label("spec")


def _poll_of(dialect: str, spec: str, left_out: str) -> str:
    names = [_polled(c, dialect) if c.name != "spec" else spec for c in _COLUMNS]
    return f"SELECT {', '.join(names)}, {left_out} FROM jobs WHERE id = ?"


_DIALECTS = ("sqlite", "postgresql")
_QUERIES: dict[str, Select[Any]] = {
    dialect: select(*(as_text(column, dialect) for column in _COLUMNS)) for dialect in _DIALECTS
}
_SHORT_QUERIES: dict[str, Select[Any]] = {
    dialect: select(
        *(_short(column, dialect) for column in _COLUMNS),
        literal_column(LEFT_OUT[dialect], Integer).label("left_out"),
    )
    for dialect in _DIALECTS
}
_VERSION = "SELECT version, state FROM jobs WHERE id = ?"
_POLL = {each: _poll_of(each, _polled(jobs.c.spec, each), "NULL") for each in _DIALECTS}
_SHORT_POLL = {each: _poll_of(each, SHORT_SPEC[each], LEFT_OUT[each]) for each in _DIALECTS}


@lru_cache(maxsize=_MOST_KEPT)
def _job_of(columns: tuple[Any, ...], left_out: int | None = None) -> StoredJob:
    row = dict(zip(_NAMES, columns, strict=True))
    spec = _spec(row)
    job = Job.model_construct(
        **{name: read(row) for name, read in READERS.items()},
        spec=spec,
        unreadable=spec.problem if isinstance(spec, UnreadableSpec) else None,
        left_out={} if left_out is None else {GIVEN_PATHS: left_out},
    )
    return StoredJob(
        job=job,
        needs=_needs(row),
        failures=whole_of(row, "failures"),
        worker_losses=whole_of(row, "worker_losses"),
        not_before=moment_of(row, "not_before"),
        stop_mode=row["stop_mode"],
        source_checkpoint=row["source_checkpoint"],
        asked_workers=texts_of(row["asked_workers"]),
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
        "labels": labels_of(row),
        "priority": -whole_of(row, "queue_order"),
        "preemptible": bool(row["preemptible"]),
        "resources": Resources(gpus=needs.gpus, labels=dict(needs.labels)),
    }
    return spec.model_copy(update=columns)


def _needs(row: dict[str, Any]) -> JobNeeds:
    return needs_of_column(row["needs"], whole_of(row, "gpus"))
