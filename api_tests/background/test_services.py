"""The server's own loops: each survives a turn that raises, and all end with the server."""

import shutil
import threading
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest
import structlog
from sqlalchemy import select, text

from api_tests.support.coroutines import result_of
from api_tests.support.server import Server, wait_for
from api_tests.support.server_context import Clock
from service.api.app import build_app
from service.background.services import BackgroundServices
from service.context import AppContext
from service.contract.loop import LOOP_FAILED_STATUS, Loop
from service.control.checkpoints.gc import Collector
from service.control.leases import reaper
from service.control.scheduling import preemption
from service.store import (
    idempotency,
    notifications,
    search_parts,
    series,
    server_heartbeats,
    sweeps,
    webhook_outbox,
)
from service.store.tables import limits

ON_EVERY_DATABASE = {"reaper", "pruner", "compactor", "server-heartbeat", "gc"}
ON_EVERY_DATABASE |= {"sample-writer", "sample-mover", "space", "webhooks", "sweeps", "credentials"}
ON_EVERY_DATABASE |= {"preemption", "searches"}
ON_POSTGRESQL = {"notification-listener", "notification-sender"}


@pytest.fixture
def services(context: AppContext) -> Iterator[BackgroundServices]:
    services = BackgroundServices(context)
    yield services
    services.stop()


@pytest.mark.parametrize(
    ("name", "owner", "function"),
    [
        ("reaper", reaper, "is_due"),
        ("pruner", idempotency, "delete_before"),
        ("compactor", series, "job_to_compact"),
        ("gc", Collector, "finish"),
        ("webhooks", webhook_outbox, "is_empty"),
        ("space", shutil, "disk_usage"),
        ("sweeps", sweeps, "live_ids"),
        ("searches", search_parts, "searches"),
        ("preemption", preemption, "decide"),
        ("server-heartbeat", server_heartbeats, "put"),
        ("notification-listener", notifications, "receive"),
        ("notification-sender", notifications, "send"),
    ],
)
def test_a_loop_of_the_server_goes_on_after_turns_that_raised(
    context: AppContext,
    services: BackgroundServices,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    owner: Any,
    function: str,
) -> None:
    if context.database.is_sqlite and name in ON_POSTGRESQL:
        pytest.skip("on SQLite there is one server")
    services.start()
    loop = loop_of(context, name)
    wait_for(lambda: loop.turns > 0 or name == "notification-sender", "the first turn")
    original, calls = getattr(owner, function), count()

    def faulty(*arguments: Any, **named: Any) -> Any:
        if next(calls) < 2:
            raise RuntimeError("a fault of the test")
        return original(*arguments, **named)

    with structlog.testing.capture_logs() as logs:
        monkeypatch.setattr(owner, function, faulty)
        if name == "notification-listener":
            cut_off(context)
        wait_for(lambda: hastened(loop).errors >= 2, "two errors")
        after = loop.turns
        wait_for(lambda: hastened(loop).turns > after, "another turn")
    failed = [e for e in logs if e["event"] == "loop_turn_failed" and e["loop"] == name]
    assert len(failed) == 2
    assert all(each["exc_info"] for each in failed)


def test_services_start_every_loop_and_leave_no_thread(context: AppContext) -> None:
    before = set(threading.enumerate())
    services = BackgroundServices(context)
    names = {loop.name for loop in context.loops}
    sqlite = context.database.is_sqlite
    assert names == ON_EVERY_DATABASE | (set() if sqlite else ON_POSTGRESQL)
    services.start()
    assert names <= {thread.name for thread in threading.enumerate()}
    services.stop()
    wait_for(lambda: set(threading.enumerate()) <= before, "the end of the threads")


def test_a_server_that_stops_notes_that_it_is_alive_no_more(
    context: AppContext, clock: Clock
) -> None:
    services = BackgroundServices(context)
    services.start()
    with context.database.read() as tx:
        assert server_heartbeats.is_any_alive(tx, clock.now, clock.now)
    services.stop()
    with context.database.read() as tx:
        assert not server_heartbeats.is_any_alive(tx, clock.now, clock.now)
        assert server_heartbeats.last_alive(tx) == clock.now


def test_the_lifespan_recovers_before_the_first_request(context: AppContext) -> None:
    services = BackgroundServices(context)
    app = build_app(context, services.lifespan)

    async def live() -> list[str]:
        async with app.router.lifespan_context(app):
            with context.database.read() as tx:
                return list(tx.execute(select(limits.c.label)).scalars())

    assert result_of(live()) == ["team"]


def test_the_apps_factory_starts_nothing_and_touches_no_database(context: AppContext) -> None:
    before = set(threading.enumerate())
    app = build_app(context)

    async def live() -> None:
        async with app.router.lifespan_context(app):
            assert set(threading.enumerate()) <= before | {threading.current_thread()}

    result_of(live())
    assert context.loops == []
    with context.database.read() as tx:
        assert server_heartbeats.last_alive(tx) is None


def test_a_server_whose_reaper_cannot_go_on_ends_with_a_status(tmp_path: Path) -> None:
    fault = "service.control.leases.reaper:is_due 0 1000000"
    server = Server(tmp_path, module="api_tests.support.faulty_server", fault=fault)
    assert server.process.wait(60) == LOOP_FAILED_STATUS
    log = (tmp_path / "server.log").read_text()
    assert "loop_ends_the_process" in log
    assert "RuntimeError: a fault of the test" in log
    server.http.close()


def loop_of(context: AppContext, name: str) -> Loop:
    return next(loop for loop in context.loops if loop.name == name)


def hastened(loop: Loop) -> Loop:
    loop.hasten()
    return loop


def cut_off(context: AppContext) -> None:
    """End the connection on which this server listens."""
    with context.database.write() as tx:
        tx.execute(
            text(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE query LIKE 'LISTEN%' AND datname = current_database()"
            )
        )
