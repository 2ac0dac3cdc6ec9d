"""Rows that others refer to, as bare as the tables let them be."""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Table, insert, select

from service.store.tables import jobs, workers

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def ensure_job(tx: Connection, job_id: str, **columns: Any) -> None:
    """A queued job, unless there is one with this id."""
    spec = {"kind": "train", "recipe": "oneshot", "data": {"dataset": "digits"}}
    row: dict[str, Any] = {
        "id": job_id,
        "kind": "train",
        "recipe": "oneshot",
        "variant": "searched",
        "labels": {},
        "state": "queued",
        "created_at": NOW,
        "queue_order": 0,
        "gpus": 0,
        "needs": "{}",
        "spec": spec,
        "progress": {"total_steps": 1},
        "metrics": {},
        "attempt": 0,
        "failures": 0,
        "worker_losses": 0,
        "version": 1,
    }
    _ensure(tx, jobs, row | columns)


def ensure_worker(tx: Connection, worker_id: str, **columns: Any) -> None:
    """An active worker, unless there is one with this id."""
    row: dict[str, Any] = {
        "id": worker_id,
        "host": worker_id,
        "process": {},
        "gpus": [],
        "labels": {},
        "slots": 4,
        "version": "",
        "state": "active",
        "registered_at": NOW,
        "last_seen_at": NOW,
        "trusted_at": NOW,
    }
    _ensure(tx, workers, row | columns)


def _ensure(tx: Connection, table: Table, row: dict[str, Any]) -> None:
    if tx.execute(select(table.c.id).where(table.c.id == row["id"])).first() is None:
        tx.execute(insert(table).values(**row))
