"""What happened that webhooks may be told, stored by the transaction in which it did.

Nothing is stored while there is no webhook: that costs a look into an empty table.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection, delete, insert, select, text

from service.contract.checkpoints import Manifest
from service.contract.webhooks import CHECKPOINT_EVENT, QUARANTINE_EVENT
from service.store.measurements import measure
from service.store.tables import jobs
from service.store.webhook_tables import webhook_outbox as outbox

OUTBOX_METRIC = "webhook_events"
STATE_CHANGES = frozenset(("submitted", "claimed", "requeued", "pausing", "paused", "resumed"))
STATE_CHANGES |= {"cancel", "succeeded", "failed", "cancelled"}
"""The kinds of entries of a job's history that come with another state of the job."""
_IS_ANY = text("SELECT 1 FROM webhooks WHERE enabled LIMIT 1")
_SHOWN = ("id", "kind", "recipe", "variant", "name", "labels", "state", "reason", "message")


@dataclass(frozen=True)
class OutboxRow:
    """An event, before it is known who is told."""

    number: int
    type: str
    data: Mapping[str, Any]
    created_at: datetime

    @property
    def event_id(self) -> str:
        """An id that no other event has, also none of a database restored from a copy."""
        return f"evt_{int(self.created_at.timestamp() * 1000)}_{self.number}"


class StateEntry(NamedTuple):
    """An entry of a job's history."""

    job_id: str
    attempt: int | None
    kind: str
    message: str
    created_at: datetime


def put_states(tx: Connection, entries: Sequence[StateEntry]) -> None:
    """Store the new states of jobs, as this transaction has changed them.

    Entries of other kinds are left out.
    """
    changes = [entry for entry in entries if entry.kind in STATE_CHANGES]
    if not changes or not _is_any(tx):
        return
    shown = _jobs(tx, [entry.job_id for entry in changes])
    rows = [
        {
            "type": f"job.{shown[job_id]['state']}",
            "data": {
                "job": shown[job_id],
                "attempt": attempt,
                "event": {"kind": kind, "message": message},
            },
            "created_at": moment,
        }
        for job_id, attempt, kind, message, moment in changes
        if job_id in shown
    ]
    _add(tx, rows)


def put_checkpoint(
    tx: Connection, job_id: str, manifest: Manifest, message: str, now: datetime
) -> None:
    """Store that a checkpoint was published."""
    if not _is_any(tx):
        return
    event = {"kind": "checkpoint", "message": message}
    checkpoint = {"id": manifest.checkpoint_id, "step": manifest.step, "phase": manifest.phase}
    checkpoint["metrics"] = manifest.metrics
    data = {"job": _jobs(tx, [job_id])[job_id], "checkpoint": checkpoint, "event": event}
    _add(tx, [{"type": CHECKPOINT_EVENT, "data": data, "created_at": now}])


def put_quarantine(
    tx: Connection, worker_id: str, host: str | None, message: str, now: datetime
) -> None:
    """Store that a worker was put into quarantine."""
    if not _is_any(tx):
        return
    event = {"kind": "quarantined", "message": message}
    data = {"worker": {"id": worker_id, "host": host}, "event": event}
    _add(tx, [{"type": QUARANTINE_EVENT, "data": data, "created_at": now}])


def take(tx: Connection, limit: int) -> list[OutboxRow]:
    """The oldest events, which are removed; those that another server is taking are left out."""
    query = select(outbox).order_by(outbox.c.number).limit(limit)
    rows = [OutboxRow(**row) for row in tx.execute(_skipping(query)).mappings()]
    if rows:
        numbers = [row.number for row in rows]
        tx.execute(delete(outbox).where(outbox.c.number.in_(numbers)))
    return rows


def is_empty(tx: Connection) -> bool:
    """Whether there is nothing to take."""
    return tx.execute(select(outbox.c.number).limit(1)).first() is None


def _skipping(query: Any) -> Any:
    # SQLite has one writer, and leaves the clause out.
    return query.with_for_update(skip_locked=True)


def _is_any(tx: Connection) -> bool:
    return tx.execute(_IS_ANY).first() is not None


def _jobs(tx: Connection, job_ids: Sequence[str]) -> dict[str, dict[str, Any]]:
    query = select(*(jobs.c[name] for name in _SHOWN)).where(jobs.c.id.in_(set(job_ids)))
    return {row["id"]: dict(row) for row in tx.execute(query).mappings()}


def _add(tx: Connection, rows: Sequence[dict[str, Any]]) -> None:
    if rows:
        tx.execute(insert(outbox), rows)
        measure(tx, OUTBOX_METRIC, len(rows))
