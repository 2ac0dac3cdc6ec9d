"""Transactions of PostgreSQL that wait for each other."""

from sqlalchemy import text

from service.store.engine import Database

_WAITING = text(
    "SELECT count(*) FROM pg_stat_activity "
    "WHERE wait_event_type = 'Lock' AND datname = current_database()"
)


def is_waiting(database: Database) -> bool:
    """Whether a transaction of this database waits for a lock of another."""
    with database.read() as tx:
        return bool(tx.execute(_WAITING).scalar())
