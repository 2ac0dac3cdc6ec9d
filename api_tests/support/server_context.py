"""A server's context over a database of a test, with a clock that the test turns."""

from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path

from service.context import AppContext
from service.settings import Settings
from service.store.engine import Database


class Clock:
    """A clock that stands until it is turned on."""

    def __init__(self) -> None:
        self.now = datetime(2026, 1, 1, tzinfo=UTC)

    def advance(self, passed: timedelta) -> None:
        """Turn it on."""
        self.now += passed


def server_context(
    database: Database, folder: Path, clock: Clock, settings: Settings | None = None
) -> AppContext:
    """The context of a server whose files are in `folder`, unless `settings` say otherwise."""
    numbers = count(1)
    return AppContext(
        settings=settings or Settings(volume=folder, limits="team=vision:2"),
        database=database,
        now=lambda: clock.now,
        new_id=lambda prefix: f"{prefix}_{next(numbers)}",
        new_token=lambda: "token",
        draw=lambda: 0.5,
    )
