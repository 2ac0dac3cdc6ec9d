"""Samples of workers' use: the newest in rows, those of each hour that is over in one row.

A row of an hour has its samples twice: all of them, and coarse ones for a chart of many days.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError
from sqlalchemy import ColumnElement, Connection, delete, func, or_, select, tuple_
from sqlalchemy.dialects import postgresql, sqlite

from service.contract.reading import log_once, read_json
from service.contract.samples import Sample
from service.domain.sample_tables import SampleTable, joined, values_of
from service.store.engine import BINARY_RESULTS
from service.store.sample_tables import sample_hours, samples

HOUR_SECONDS = 3600
COARSE_SECONDS = 300
_MOST_FINE_SECONDS = 30 * HOUR_SECONDS
"""Of a longer span the coarse samples are read."""
_SETTLED_SECONDS = 60
"""So long after its end an hour's rows are moved: those of a slow server have come by then."""
_ADD = {
    "sqlite": sqlite.insert(samples).on_conflict_do_nothing(),
    "postgresql": postgresql.insert(samples).on_conflict_do_nothing(),
}
_PUT_HOUR = {
    dialect: insert_.on_conflict_do_update(
        index_elements=["worker_id", "hour"],
        set_={"fine": insert_.excluded.fine, "coarse": insert_.excluded.coarse},
    )
    for dialect, insert_ in (
        ("sqlite", sqlite.insert(sample_hours)),
        ("postgresql", postgresql.insert(sample_hours)),
    )
}


@dataclass(frozen=True)
class StoredSample:
    """A sample of a worker, and when it came, in seconds since 1970."""

    worker_id: str
    at: int
    sample: Sample


@dataclass(frozen=True)
class Span:
    """The time from `since` to `until`, in seconds since 1970, of one worker."""

    worker_id: str
    since: int
    until: int


def add(tx: Connection, taken: Sequence[StoredSample]) -> None:
    """Store samples by one statement; of one worker's in the same second the first is kept."""
    if not taken:
        return
    rows = [
        {"worker_id": each.worker_id, "at": each.at, "body": each.sample.model_dump_json()}
        for each in taken
    ]
    tx.execute(_ADD[tx.dialect.name], rows)


def last_of(tx: Connection, worker_ids: Sequence[str], since: int) -> dict[str, StoredSample]:
    """By worker its last sample, if it came after a moment."""
    newest = samples.alias("newest")
    last = select(func.max(newest.c.at)).where(newest.c.worker_id == samples.c.worker_id)
    query = select(samples).where(
        samples.c.worker_id.in_(worker_ids),
        samples.c.at >= since,
        samples.c.at == last.scalar_subquery(),
    )
    stored = (_stored(row.worker_id, row.at, row.body) for row in tx.execute(query))
    return {each.worker_id: each for each in stored if each is not None}


def tables_of(tx: Connection, spans: Sequence[Span]) -> dict[str, SampleTable]:
    """By worker what was sampled in its spans, and maybe around them.

    Two statements. Of spans that are longer than 30 hours together, coarse samples of the hours
    that are over.
    """
    if not spans:
        return {}
    length = sum(each.until - each.since for each in spans)
    body = sample_hours.c.fine if length <= _MOST_FINE_SECONDS else sample_hours.c.coarse
    parts: dict[str, list[SampleTable]] = {}
    # In this order: between the two statements another server may move rows into an hour.
    newest = _newest(tx, spans)
    hours = select(sample_hours.c.worker_id, body.label("body")).where(or_(*map(_hours_of, spans)))
    hours = hours.order_by(sample_hours.c.worker_id, sample_hours.c.hour)
    for row in tx.execute(hours.execution_options(**{BINARY_RESULTS: True})):
        table = _table(row.body)
        parts.setdefault(row.worker_id, []).append(table)
    for worker_id, table in newest.items():
        known = parts.setdefault(worker_id, [])
        moved = known[-1].times[-1] if known and known[-1].times else 0
        known.append(SampleTable.of_rows(row for row in table.rows() if row[0] > moved))
    return {worker_id: joined(tables) for worker_id, tables in parts.items()}


def unmoved(tx: Connection, now: int) -> tuple[str, int] | None:
    """A worker with rows of an hour that is over, and that hour's begin; None if there is none."""
    query = select(samples.c.worker_id, samples.c.at)
    query = query.where(samples.c.at < (now - _SETTLED_SECONDS) // HOUR_SECONDS * HOUR_SECONDS)
    row = tx.execute(query.order_by(samples.c.at).limit(1)).first()
    return (row.worker_id, row.at // HOUR_SECONDS * HOUR_SECONDS) if row is not None else None


def move_hour(tx: Connection, worker_id: str, hour: int) -> int:
    """Move the rows of an hour of a worker into one row; how many there were."""
    of_hour = (samples.c.worker_id == worker_id) & samples.c.at.between(
        hour, hour + HOUR_SECONDS - 1
    )
    # Deleted first: of two servers at the same time, one gets the rows, and the other none.
    moved = tx.execute(delete(samples).where(of_hour).returning(samples.c.at, samples.c.body)).all()
    if not moved:
        return 0
    before = select(sample_hours.c.fine).where(
        sample_hours.c.worker_id == worker_id, sample_hours.c.hour == hour
    )
    stored = tx.execute(before.execution_options(**{BINARY_RESULTS: True})).scalar_one_or_none()
    table = SampleTable.of_rows([*_table(stored).rows(), *_values(moved)])
    values = {"fine": table.to_bytes(), "coarse": table.coarse(COARSE_SECONDS).to_bytes()}
    tx.execute(_PUT_HOUR[tx.dialect.name], {"worker_id": worker_id, "hour": hour, **values})
    return len(moved)


def delete_hours_before(tx: Connection, moment: int, limit: int) -> int:
    """Delete at most `limit` hours that were over before a moment; how many."""
    key = (sample_hours.c.worker_id, sample_hours.c.hour)
    old = select(*key).where(sample_hours.c.hour < moment - HOUR_SECONDS).limit(limit)
    return tx.execute(delete(sample_hours).where(tuple_(*key).in_(old))).rowcount


def _newest(tx: Connection, spans: Sequence[Span]) -> dict[str, SampleTable]:
    rows: dict[str, list[Any]] = {}
    for row in tx.execute(select(samples).where(or_(*map(_rows_of, spans)))):
        rows.setdefault(row.worker_id, []).append((row.at, row.body))
    return {worker_id: SampleTable.of_rows(_values(each)) for worker_id, each in rows.items()}


def _rows_of(span: Span) -> ColumnElement[bool]:
    of_worker = samples.c.worker_id == span.worker_id
    return of_worker & samples.c.at.between(span.since, span.until)


def _hours_of(span: Span) -> ColumnElement[bool]:
    first = span.since // HOUR_SECONDS * HOUR_SECONDS
    of_worker = sample_hours.c.worker_id == span.worker_id
    return of_worker & sample_hours.c.hour.between(first, span.until)


def _values(rows: Iterable[Any]) -> list[tuple[int, dict[str, float]]]:
    stored = (_stored("", at, body) for at, body in rows)
    return [(each.at, values_of(each.sample)) for each in stored if each is not None]


def _stored(worker_id: str, at: int, body: str) -> StoredSample | None:
    try:
        return StoredSample(worker_id, at, read_json(Sample, body))
    except ValidationError:
        log_once("unreadable_sample", body[:200])
        return None


def _table(content: bytes | None) -> SampleTable:
    if content is None:
        return SampleTable()
    try:
        return SampleTable.of_bytes(content)
    except ValueError as error:
        # Of another version: one hour less in a chart.
        log_once("unreadable_samples", str(error))
        return SampleTable()
