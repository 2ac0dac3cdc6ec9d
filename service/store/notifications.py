"""What servers over one PostgreSQL tell each other: to look again. LISTEN and NOTIFY."""

from collections.abc import Generator

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, OperationalError

from service.store.engine import Database

_CHANNEL = "trainyard"


def tell(database: Database, who: str) -> None:
    """Have every server that listens hear of `who`."""
    with database.write() as tx:
        tx.execute(text("SELECT pg_notify(:channel, :who)"), {"channel": _CHANNEL, "who": who})


def heard(database: Database, beat_seconds: float) -> Generator[str | None, None, None]:
    """Who told of something, as it comes; None at least every `beat_seconds`.

    The first None comes when it listens: what was told before is to be looked for. Raises
    DBAPIError when the connection is lost.
    """
    with database.engine.connect() as pooled:
        connection = pooled.execution_options(isolation_level="AUTOCOMMIT")
        connection.execute(text(f"LISTEN {_CHANNEL}"))
        driver = connection.connection.driver_connection
        assert driver is not None
        try:
            while True:
                yield None
                for notice in driver.notifies(timeout=beat_seconds, stop_after=1):
                    yield notice.payload
        except Exception as error:
            dbapi = database.engine.dialect.dbapi
            if dbapi is None or not isinstance(error, dbapi.Error) or isinstance(error, DBAPIError):
                raise
            raise OperationalError(f"LISTEN {_CHANNEL}", None, error) from error
        finally:
            # It listens for ever: nobody else may get it from the pool.
            connection.invalidate()
