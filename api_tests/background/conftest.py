"""A server's context over a real database, with a clock that tests turn."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path

import pytest

from service.context import AppContext
from service.settings import Settings
from service.store.engine import Database


class Clock:
    """A clock that stands until it is turned on."""

    def __init__(self) -> None:
        self.now = datetime(2026, 1, 1, tzinfo=UTC)

    def later(self, passed: timedelta) -> None:
        """Turn it on."""
        self.now += passed


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def new_context(database: Database, clock: Clock, tmp_path: Path) -> Callable[[], AppContext]:
    """Makes the contexts of servers over one database of each kind."""
    numbers = count(1)

    def new() -> AppContext:
        return AppContext(
            settings=Settings(volume=tmp_path / "volume", limits="team=vision:2"),
            database=database,
            now=lambda: clock.now,
            new_id=lambda prefix: f"{prefix}_{next(numbers)}",
            new_token=lambda: "token",
            draw=lambda: 0.5,
        )

    return new


@pytest.fixture
def context(new_context: Callable[[], AppContext]) -> AppContext:
    return new_context()
