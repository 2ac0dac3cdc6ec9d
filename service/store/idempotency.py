"""Idempotency keys: which job a submission made when it came the first time."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, insert, select

from service.store.tables import idempotency_keys as keys


@dataclass(frozen=True)
class StoredKey:
    """The digest of the submission that came with a key, and the job that it made."""

    body_sha256: str
    job_id: str


def find(tx: Connection, key: str) -> StoredKey | None:
    """The submission that came with this key before, if there was one."""
    row = tx.execute(select(keys).where(keys.c.key == key)).first()
    return StoredKey(row.body_sha256, row.job_id) if row is not None else None


def add(tx: Connection, key: str, body_sha256: str, job_id: str, now: datetime) -> None:
    """Store a key; of two concurrent ones with the same key one raises IntegrityError."""
    row = {"key": key, "body_sha256": body_sha256, "job_id": job_id, "created_at": now}
    tx.execute(insert(keys).values(**row))


def delete_before(tx: Connection, moment: datetime, limit: int) -> int:
    """Delete at most `limit` keys that came before `moment`; gives how many."""
    old = select(keys.c.key).where(keys.c.created_at < moment).limit(limit)
    return tx.execute(delete(keys).where(keys.c.key.in_(old))).rowcount
