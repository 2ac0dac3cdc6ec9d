"""Idempotency keys: which job a submission made when it came the first time, or its answer."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, bindparam, delete, insert, select

from service.store.plain_insert import PlainInsert
from service.store.tables import idempotency_keys

_FIND = select(idempotency_keys).where(
    idempotency_keys.c.key.in_(bindparam("keys", expanding=True))
)
_NEW = PlainInsert(idempotency_keys, ("key", "body_sha256", "job_id", "created_at"))


@dataclass(frozen=True)
class StoredKey:
    """A key, the digest of the call that came with it, and the job that it made.

    A call on many jobs has its reply instead, and no job.
    """

    key: str
    body_sha256: str
    job_id: str
    created_at: datetime
    reply: str | None = None


def find(tx: Connection, key: str | None) -> StoredKey | None:
    """The submission that came with this key before, if there was one; None without a key."""
    return find_all(tx, [key]).get(key) if key is not None else None


def find_all(tx: Connection, keys: Collection[str]) -> dict[str, StoredKey]:
    """By key the submissions that came before with one of these."""
    if not keys:
        return {}
    rows = tx.execute(_FIND, {"keys": list(keys)})
    return {
        row.key: StoredKey(row.key, row.body_sha256, row.job_id, row.created_at, row.reply)
        for row in rows
    }


def add(tx: Connection, key: str, body_sha256: str, job_id: str, now: datetime) -> None:
    """Store a key; of two concurrent ones with the same key one raises IntegrityError."""
    add_all(tx, [StoredKey(key, body_sha256, job_id, now)])


def add_all(tx: Connection, new: Sequence[StoredKey]) -> None:
    """Store keys; of two concurrent calls with the same one, one raises IntegrityError."""
    # In one order everywhere: of two calls with the same keys, none waits for the other's first.
    _NEW.add(tx, [vars(each) for each in sorted(new, key=lambda each: each.key)])


def add_reply(tx: Connection, key: str, body_sha256: str, reply: str, now: datetime) -> None:
    """Store the key and the reply of a call on many jobs; raises IntegrityError as `add` does."""
    values = {"key": key, "body_sha256": body_sha256, "job_id": "", "created_at": now}
    tx.execute(insert(idempotency_keys).values(**values, reply=reply))


def delete_before(tx: Connection, moment: datetime, limit: int) -> int:
    """Delete at most `limit` keys that came before `moment`; gives how many."""
    old = select(idempotency_keys.c.key).where(idempotency_keys.c.created_at < moment).limit(limit)
    return tx.execute(delete(idempotency_keys).where(idempotency_keys.c.key.in_(old))).rowcount
