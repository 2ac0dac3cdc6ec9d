"""What the events of an attempt leave in the history of its job."""

from sqlalchemy import Connection

from service.control.leases.event_batch import EventBatch
from service.store import history

_MOST_NOTES = 1000
"""Entries of an attempt in its job's history, checkpoints not counted."""


def note_once(tx: Connection, batch: EventBatch, message: str) -> None:
    """Add a note that the attempt does not have yet."""
    if not history.has(tx, batch.job.id, batch.attempt, "note", message):
        note(tx, batch, "note", message)


def note(tx: Connection, batch: EventBatch, kind: str, message: str) -> None:
    """Add an entry of an attempt; once it has very many, those of checkpoints alone."""
    if kind != "checkpoint" and not _has_room(tx, batch):
        return
    history.note(tx, batch.job.id, batch.attempt, kind, message, batch.now)


def _has_room(tx: Connection, batch: EventBatch) -> bool:
    if batch.notes is None:
        batch.notes = history.count(tx, batch.job.id, batch.attempt, _MOST_NOTES + 1)
    batch.notes += 1
    if batch.notes == _MOST_NOTES + 1:
        message = f"this attempt has {_MOST_NOTES} entries; its further notes are left out"
        history.note(tx, batch.job.id, batch.attempt, "note", message, batch.now)
    return batch.notes <= _MOST_NOTES
