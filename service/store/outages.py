"""What of the database's errors is an outage, which trying again may mend, and what a fault."""

import sqlite3

from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError, TimeoutError

DATABASE_OUTAGES = (InterfaceError, OperationalError, TimeoutError)
"""What is raised while the database cannot be reached: trying again later may help."""

_SQLITE_OUTAGES = {
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_LOCKED,
    sqlite3.SQLITE_NOMEM,
    sqlite3.SQLITE_READONLY,
}
_PRIMARY_CODE = 0xFF
"""The lower byte of an extended result code of SQLite."""

# Classes of PostgreSQL's SQLSTATE: connection, rollback, resources, operator, system.
_POSTGRES_OUTAGES = ("08", "40", "53", "57", "58")
_POSTGRES_DISK_FULL = "53100"
_POSTGRES_DEADLOCK = "40P01"


def is_outage(error: DBAPIError | TimeoutError) -> bool:
    """Whether the database, and not a statement, is the cause."""
    if isinstance(error, TimeoutError):
        return True
    if not isinstance(error, InterfaceError | OperationalError):
        return False
    if isinstance(error.orig, sqlite3.Error):
        code = _sqlite_code(error.orig)
        return code is not None and code in _SQLITE_OUTAGES
    state = _sqlstate(error)
    return state is None or state.startswith(_POSTGRES_OUTAGES)


def is_disk_full(error: DBAPIError | TimeoutError) -> bool:
    """Whether the database has no space left for what is to be written."""
    if isinstance(error, TimeoutError):
        return False
    if isinstance(error.orig, sqlite3.Error):
        return _sqlite_code(error.orig) == sqlite3.SQLITE_FULL
    return _sqlstate(error) == _POSTGRES_DISK_FULL


def is_deadlock(error: DBAPIError | TimeoutError) -> bool:
    """Whether this transaction and another waited for each other; each alone may succeed."""
    return isinstance(error, OperationalError) and _sqlstate(error) == _POSTGRES_DEADLOCK


def _sqlite_code(error: sqlite3.Error) -> int | None:
    # Errors of the driver itself have no code.
    code: int | None = getattr(error, "sqlite_errorcode", None)
    return code & _PRIMARY_CODE if code is not None else None


def _sqlstate(error: DBAPIError) -> str | None:
    # None if the server of the database was not reached.
    return getattr(error.orig, "sqlstate", None)
