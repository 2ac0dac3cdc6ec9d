"""Sessions of the page as rows."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, insert, select

from service.store.access_tables import sessions

_MOST_OF_A_TOKEN = 100


@dataclass(frozen=True)
class StoredSession:
    """A session, the digest of the secret in its cookie, and the id of the token that began it."""

    id: str
    secret_sha256: str
    token_id: str
    created_at: datetime
    expires_at: datetime


def add(tx: Connection, session: StoredSession) -> None:
    """Store a new session; of a token with a hundred of them the oldest end."""
    tx.execute(insert(sessions).values(**vars(session)))
    own = select(sessions.c.id).where(sessions.c.token_id == session.token_id)
    surplus = own.order_by(sessions.c.created_at.desc()).offset(_MOST_OF_A_TOKEN)
    tx.execute(delete(sessions).where(sessions.c.id.in_(surplus)))


def alive(tx: Connection, now: datetime) -> list[StoredSession]:
    """The sessions that have not expired."""
    rows = tx.execute(select(sessions).where(sessions.c.expires_at > now)).mappings()
    return [StoredSession(**row) for row in rows]


def end(tx: Connection, session_id: str) -> None:
    """Delete a session."""
    tx.execute(delete(sessions).where(sessions.c.id == session_id))


def delete_expired(tx: Connection, now: datetime, limit: int) -> int:
    """Delete at most `limit` sessions that have expired; how many."""
    expired = select(sessions.c.id).where(sessions.c.expires_at <= now).limit(limit)
    return tx.execute(delete(sessions).where(sessions.c.id.in_(expired))).rowcount
