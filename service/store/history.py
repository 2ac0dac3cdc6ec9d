"""The events of jobs, and the removal of what jobs leave behind."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import ColumnElement, Connection, Table, delete, func, insert, select, text, tuple_

from service.contract.jobs import Event
from service.contract.request_ids import ACTOR, REQUEST_ID
from service.contract.text import MESSAGE_LENGTH, cut_text
from service.store import webhook_outbox
from service.store.plain_insert import PlainInsert
from service.store.tables import events, jobs, metrics, series_arrays
from service.store.webhook_outbox import StateEntry

_RAISE_SEQUENCE = """
    SELECT setval(sequence, :floor)
    FROM pg_get_serial_sequence('events', 'number') AS sequence
    WHERE nextval(sequence) < :floor
"""
# SQLite's own table of the highest number that a table has ever had.
_BEGIN_COUNT = """
    INSERT INTO sqlite_sequence (name, seq) SELECT 'events', 0
    WHERE NOT EXISTS (SELECT 1 FROM sqlite_sequence WHERE name = 'events')
"""
_RAISE_COUNT = "UPDATE sqlite_sequence SET seq = max(seq, :floor) WHERE name = 'events'"
_NEW = PlainInsert(events, ("job_id", "kind", "message", "created_at", "request_id", "actor"))
_BEFORE_ANY_UNDER_WAY = "age(events.xmin) > age(pg_snapshot_xmin(pg_current_snapshot())::xid)"


class Entry(NamedTuple):
    """An event of no attempt.

    `request_id` and `actor` are those of the request that caused it, where that is not the one
    being answered.
    """

    job_id: str
    kind: str
    message: str
    created_at: datetime
    request_id: str | None = None
    actor: str | None = None


def note(
    tx: Connection, job_id: str, attempt: int | None, kind: str, message: str, now: datetime
) -> None:
    """Add an event to the job's history, with the request that is being answered and its actor.

    The caller has changed the job before: webhooks are told its new state.
    """
    values = {"kind": kind, "message": cut_text(message, MESSAGE_LENGTH), "created_at": now}
    values |= {"request_id": REQUEST_ID.get(), "actor": ACTOR.get()}
    tx.execute(insert(events).values(job_id=job_id, attempt=attempt, **values))
    webhook_outbox.put_states(tx, [StateEntry(job_id, attempt, kind, message, now)])


def note_all(tx: Connection, entries: Sequence[Entry]) -> None:
    """Add events of no attempt."""
    request_id, actor = REQUEST_ID.get(), ACTOR.get()
    rows = [
        {
            "job_id": entry.job_id,
            "kind": entry.kind,
            "message": cut_text(entry.message, MESSAGE_LENGTH),
            "created_at": entry.created_at,
            "request_id": entry.request_id or request_id,
            "actor": entry.actor or actor,
        }
        for entry in entries
    ]
    _NEW.add(tx, rows)
    changes = [StateEntry(e.job_id, None, e.kind, e.message, e.created_at) for e in entries]
    webhook_outbox.put_states(tx, changes)


def count(tx: Connection, job_id: str, attempt: int, limit: int) -> int:
    """How many events the history of an attempt has, checkpoints not counted; up to a limit."""
    of_attempt = (events.c.job_id == job_id) & (events.c.attempt == attempt)
    counted = select(events.c.number).where(of_attempt, events.c.kind != "checkpoint").limit(limit)
    total: int = tx.execute(select(func.count()).select_from(counted.subquery())).scalar_one()
    return total


def has(tx: Connection, job_id: str, attempt: int, kind: str, message: str) -> bool:
    """Whether the history of an attempt has this very event already."""
    query = select(events.c.number).where(
        events.c.job_id == job_id,
        events.c.attempt == attempt,
        events.c.kind == kind,
        events.c.message == cut_text(message, MESSAGE_LENGTH),
    )
    return tx.execute(query.limit(1)).first() is not None


def events_after(tx: Connection, job_id: str, number: int, limit: int) -> list[Event]:
    """Events of a job after a number, oldest first; one above the limit if there are more."""
    query = select(events).where(events.c.job_id == job_id, events.c.number > number)
    rows = tx.execute(query.order_by(events.c.number).limit(limit + 1)).mappings()
    return [Event.model_validate(dict(row)) for row in rows]


def events_of_all(tx: Connection, number: int, limit: int) -> list[Event]:
    """Events of all jobs after a number, oldest first.

    On PostgreSQL numbers are drawn before their transactions commit: an event is left out while a
    transaction under way could still commit one with a lower number.
    """
    query = select(events).where(events.c.number > number)
    if tx.dialect.name == "postgresql":
        query = query.where(text(_BEFORE_ANY_UNDER_WAY))
    rows = tx.execute(query.order_by(events.c.number).limit(limit)).mappings()
    return [Event.model_validate(dict(row)) for row in rows]


def newest_number(tx: Connection) -> int:
    """The number of the last event; 0 before the first."""
    newest: int | None = tx.execute(select(func.max(events.c.number))).scalar_one()
    return newest or 0


def raise_numbers(tx: Connection, floor: int) -> None:
    """Number the coming events above `floor`, unless they are already.

    On PostgreSQL it waits for the transactions that have written events: call it in its own.
    """
    if tx.dialect.name == "postgresql":
        # Nobody draws a number meanwhile: one that is drawn is never set back.
        tx.execute(text("LOCK TABLE events IN SHARE ROW EXCLUSIVE MODE"))
        tx.execute(text(_RAISE_SEQUENCE), {"floor": floor})
        return
    tx.execute(text(_BEGIN_COUNT))
    tx.execute(text(_RAISE_COUNT), {"floor": floor})


def delete_of_job(tx: Connection, job_id: str) -> None:
    """Delete the events of a job."""
    tx.execute(delete(events).where(events.c.job_id == job_id))


def jobless_ids(tx: Connection, limit: int) -> list[str]:
    """The ids of at most `limit` jobs that have events or series, and no row of their own."""
    jobless: list[str] = []
    for table in (events, metrics, series_arrays):
        # One step of the index for each job, however many rows a job has.
        ids = select(func.min(table.c.job_id).label("job_id")).cte(recursive=True)
        following = select(func.min(table.c.job_id)).where(table.c.job_id > ids.c.job_id)
        steps = select(following.scalar_subquery()).where(ids.c.job_id.is_not(None))
        ids = ids.union_all(steps)
        query = select(ids.c.job_id).where(ids.c.job_id.is_not(None), ~_has_job(ids.c.job_id))
        jobless += tx.execute(query.limit(limit)).scalars()
    return sorted(set(jobless))[:limit]


def delete_jobless_events(tx: Connection, job_ids: Sequence[str], limit: int) -> int:
    """Delete at most `limit` events of those of the jobs that have no row; how many."""
    jobless = events.c.job_id.in_(job_ids) & ~_has_job(events.c.job_id)
    numbers = select(events.c.number).where(jobless).limit(limit)
    return tx.execute(delete(events).where(events.c.number.in_(numbers))).rowcount


def delete_jobless_metrics(tx: Connection, job_ids: Sequence[str], limit: int) -> int:
    """Delete at most `limit` points in rows of those of the jobs that have no row; how many."""
    return _delete_jobless(tx, metrics, job_ids, limit)


def delete_jobless_series(tx: Connection, job_ids: Sequence[str], limit: int) -> int:
    """Delete at most `limit` arrays of those of the jobs that have no row; how many."""
    return _delete_jobless(tx, series_arrays, job_ids, limit)


def _delete_jobless(tx: Connection, table: Table, job_ids: Sequence[str], limit: int) -> int:
    jobless = table.c.job_id.in_(job_ids) & ~_has_job(table.c.job_id)
    key = tuple(table.primary_key)
    keys = select(*key).where(jobless).limit(limit)
    return tx.execute(delete(table).where(tuple_(*key).in_(keys))).rowcount


def _has_job(job_id: ColumnElement[str]) -> ColumnElement[bool]:
    return select(jobs.c.id).where(jobs.c.id == job_id).exists()
