"""Samples of hours that are over: one row each, which is read as its samples were."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from sqlalchemy import func, select

from api_tests.support.sampled_workers import add_hours, running, two_workers
from api_tests.support.server import wait_for
from api_tests.support.server_context import Clock, server_context
from service.background.sample_loops import sample_mover_loop
from service.context import AppContext
from service.contract.samples import Sample
from service.control.leases.samples import seconds_of
from service.store import samples as store
from service.store.engine import Database
from service.store.sample_tables import sample_hours, samples
from service.store.samples import StoredSample


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def context(database: Database, tmp_path: Path, clock: Clock) -> AppContext:
    return server_context(database, tmp_path, clock)


@pytest.fixture
def http(context: AppContext) -> Iterator[httpx.Client]:
    yield from two_workers(context)


def test_an_hour_that_is_over_becomes_one_row_and_is_read_the_same(
    http: httpx.Client, context: AppContext, clock: Clock
) -> None:
    add_hours(context, clock, 2)
    clock.advance(timedelta(hours=2, seconds=30))
    # Of a day: of a longer time the hours that are over are read coarsely.
    day = {"max_points": 2000, "since": "2026-01-01T00:00:00Z"}
    before = http.get("/workers/wrk_1/samples", params=day).json()
    assert len(before["series"]["cpu_use"]) == 720
    loop = sample_mover_loop(context)
    with running(loop):
        wait_for(lambda: moved(context) == (1, 360), "the move of the first hour")
        # The second one ended less than a minute ago.
        wait_for(lambda: loop.turns >= 2, "a further turn")
    assert moved(context) == (1, 360)
    assert http.get("/workers/wrk_1/samples", params=day).json() == before


def test_rows_that_come_after_their_hour_was_moved_are_added_to_it(
    context: AppContext, clock: Clock
) -> None:
    start = seconds_of(clock.now)
    for at in (start, start + 10):
        with context.database.write() as tx:
            store.add(tx, [StoredSample("wrk_1", at, Sample(cpu_use=0.5))])
        with context.database.write() as tx:
            assert store.move_hour(tx, "wrk_1", start) == 1
    with context.database.write() as tx:
        assert store.move_hour(tx, "wrk_1", start) == 0
    with context.database.read() as tx:
        (table,) = store.tables_of(tx, [store.Span("wrk_1", start, start + 60)]).values()
    assert table.times == [start, start + 10]


def test_a_spike_of_one_sample_stays_in_the_chart_of_a_week(
    http: httpx.Client, context: AppContext, clock: Clock
) -> None:
    add_hours(context, clock, 3, spike_at=1800)
    clock.advance(timedelta(days=2))
    with running(sample_mover_loop(context)):
        wait_for(lambda: moved(context) == (3, 0), "the move of all hours")
    points = http.get("/workers/wrk_1/samples", params={"max_points": 10}).json()["series"]
    assert len(points["cpu_use"]) <= 10
    assert max(value for _, value in points["cpu_use"]) == 1.0


def moved(context: AppContext) -> tuple[int, int]:
    """How many hours there are in rows of their own, and how many rows of single samples."""
    with context.database.read() as tx:
        counts = [
            tx.execute(select(func.count()).select_from(table)).scalar_one()
            for table in (sample_hours, samples)
        ]
    return counts[0], counts[1]
