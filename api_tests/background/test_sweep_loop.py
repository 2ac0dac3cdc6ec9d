"""The loop of sweeps: one sweep holds up no other, and one at rest costs no transaction."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection

from api_tests.support.server_context import Clock, server_context
from api_tests.support.sweeps import a_sweep
from service.background.sweep_loop import sweep_loop
from service.context import AppContext
from service.control.sweeps import registry, turn
from service.domain.access import SERVER
from service.store.engine import Database


@pytest.fixture
def context(database: Database, tmp_path: Path) -> AppContext:
    return server_context(database, tmp_path, Clock())


def create(context: AppContext, sweep_id: str) -> None:
    with context.database.write() as tx:
        registry.create(tx, a_sweep(), sweep_id=sweep_id, key=None, now=context.now(), by=SERVER)


def counts(context: AppContext, sweep_id: str) -> dict[str, int]:
    with context.database.read() as tx:
        return registry.get(tx, sweep_id, SERVER).trials


def take_turn(context: AppContext) -> None:
    sweep_loop(context)._turn()


def test_a_sweep_that_raises_holds_up_none_of_the_others(
    context: AppContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    for sweep_id in ("swp_1", "swp_2", "swp_3"):
        create(context, sweep_id)
    take: Callable[..., None] = turn.take

    def broken(tx: Connection, sweep_id: str, **more: Any) -> None:
        take(tx, sweep_id, **more)
        if sweep_id == "swp_1":
            raise ValueError("a fault")

    monkeypatch.setattr(turn, "take", broken)
    take_turn(context)
    # What the broken one had done is undone.
    assert [counts(context, f"swp_{number}") for number in (1, 2, 3)] == [
        {},
        {"live": 4},
        {"live": 4},
    ]


def test_a_sweep_at_rest_takes_no_writing_transaction(
    context: AppContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    create(context, "swp_1")
    take_turn(context)
    monkeypatch.setattr(context.database, "write", lambda: pytest.fail("a transaction"))
    take_turn(context)
