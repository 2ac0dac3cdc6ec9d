"""Servers over one PostgreSQL notify each other of changes, by LISTEN and NOTIFY."""

from collections.abc import Generator

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, OperationalError

from service.store.engine import Database

_CHANNEL = "trainyard"


def send(database: Database, sender: str) -> None:
    """Notify every server that listens; the payload is `sender`."""
    with database.write() as tx:
        tx.execute(
            text("SELECT pg_notify(:channel, :sender)"), {"channel": _CHANNEL, "sender": sender}
        )


def receive(database: Database, timeout_seconds: float) -> Generator[str | None, None, None]:
    """The senders of notifications as they come; None at least every `timeout_seconds`.

    The first None comes once it listens: what changed before that is the caller's to look up.
    Raises DBAPIError when the connection is lost.
    """
    with database.engine.connect() as pooled:
        connection = pooled.execution_options(isolation_level="AUTOCOMMIT")
        connection.execute(text(f"LISTEN {_CHANNEL}"))
        driver = connection.connection.driver_connection
        assert driver is not None
        try:
            while True:
                yield None
                for notification in driver.notifies(timeout=timeout_seconds, stop_after=1):
                    yield notification.payload
        except Exception as error:
            dbapi = database.engine.dialect.dbapi
            if dbapi is None or not isinstance(error, dbapi.Error) or isinstance(error, DBAPIError):
                raise
            raise OperationalError(f"LISTEN {_CHANNEL}", None, error) from error
        finally:
            # This connection goes on listening: nobody else may get it from the pool.
            connection.invalidate()
