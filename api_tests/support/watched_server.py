"""The server, in which a call that may block raises an error if it is made on the event loop."""

import asyncio
import sys
from contextlib import AbstractContextManager
from typing import Any

from sqlalchemy import Connection

from service import main
from service.settings import Settings
from service.store.engine import Database

_FILE_EVENTS = ("open", "os.listdir", "os.scandir", "os.mkdir", "os.remove", "os.rename")
_FOLDERS = tuple(str(folder) for folder in (Settings().volume, Settings().import_root))
_read, _write = Database.read, Database.write


class BlockingCall(Exception):
    """The event loop would have waited for the database or for the volume."""


def _refuse_on_event_loop(call: str) -> None:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return
    raise BlockingCall(f"{call} on the event loop")


def _watched_read(database: Database) -> AbstractContextManager[Connection]:
    _refuse_on_event_loop("Database.read")
    return _read(database)


def _watched_write(database: Database) -> AbstractContextManager[Connection]:
    _refuse_on_event_loop("Database.write")
    return _write(database)


def _watch_files(event: str, arguments: tuple[Any, ...]) -> None:
    if event in _FILE_EVENTS and str(arguments[0]).startswith(_FOLDERS):
        _refuse_on_event_loop(f"{event} of {arguments[0]}")


Database.read = _watched_read  # type: ignore[method-assign]
Database.write = _watched_write  # type: ignore[method-assign]
sys.addaudithook(_watch_files)

if __name__ == "__main__":
    sys.exit(main.main())
