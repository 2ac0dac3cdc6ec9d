"""Rows that nothing needs any more are removed by a loop, in short transactions."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta

from sqlalchemy import Connection, event, func, select

from api_tests.support.polling import eventually
from api_tests.support.rows import ensure_job, ensure_worker
from api_tests.support.server_context import Clock
from service.background.pruner import KEY_RETENTION, SERVER_RETENTION, WORKER_RETENTION, pruner_loop
from service.context import AppContext
from service.contract.jobs import Attempt, AttemptState
from service.contract.request_origin import RequestOrigin
from service.contract.samples import Sample
from service.contract.webhooks import NewWebhook
from service.contract.workers import WorkerState
from service.control.leases.samples import SAMPLE_RETENTION, seconds_of
from service.control.webhooks import registry
from service.settings import Settings
from service.store import attempts, audit, history, idempotency, samples, series, server_heartbeats
from service.store.audit import Act
from service.store.engine import Database
from service.store.samples import StoredSample
from service.store.tables import (
    audit_entries,
    events,
    idempotency_keys,
    metrics,
    sample_hours,
    series_arrays,
)
from service.store.tables import server_heartbeats as servers_table
from service.store.tables import webhooks as webhooks_table
from service.store.tables import workers as workers_table

DEADLINE_SECONDS = 20.0
A_SECOND = timedelta(seconds=1)


def test_a_key_is_removed_once_it_is_older_than_seven_days(
    context: AppContext, clock: Clock
) -> None:
    assert timedelta(days=7) == KEY_RETENTION
    with context.database.write() as tx:
        idempotency.add(tx, "old", "sha", "job_1", clock.now)
    clock.advance(A_SECOND)
    with context.database.write() as tx:
        idempotency.add(tx, "young", "sha", "job_2", clock.now)
    clock.advance(KEY_RETENTION)
    with pruning(context):
        eventually(lambda: rows(context.database, idempotency_keys.c.key) == {"young"})


def test_a_secret_of_a_webhook_is_removed_once_it_has_ended(
    context: AppContext, clock: Clock
) -> None:
    new = NewWebhook(url="https://1.1.1.1/hook")
    with context.database.write() as tx:
        for name in ("rotated", "again", "never"):
            registry.create(tx, new, webhook_id=name, secret=f"{name} 1", now=clock.now)
        for name, hours in (("rotated", 1), ("again", 1), ("again", 2)):
            secret, overlap = f"{name} {hours + 1}", timedelta(hours=hours)
            registry.rotate_secret(tx, name, secret=secret, overlap=overlap, now=clock.now)
    clock.advance(timedelta(hours=1))
    with pruning(context):
        eventually(lambda: not {"rotated 1", "again 1"} & _earlier(context.database))
    assert _earlier(context.database) == {"again 2"}
    with context.database.read() as tx:
        query = select(webhooks_table.c.id).where(webhooks_table.c.earlier_secrets.is_not(None))
        assert list(tx.execute(query).scalars()) == ["again"]
        secrets = tx.execute(select(webhooks_table.c.secret)).scalars()
        assert set(secrets) == {"rotated 2", "again 3", "never 1"}


def _earlier(database: Database) -> set[str]:
    with database.read() as tx:
        columns = tx.execute(select(webhooks_table.c.earlier_secrets)).scalars()
        return {each["secret"] for column in columns for each in column or ()}


def test_an_entry_of_the_audit_list_is_removed_once_it_is_older_than_the_settings_say(
    context: AppContext, clock: Clock
) -> None:
    assert context.settings.audit_days == 365
    context = replace(context, settings=Settings(volume=context.settings.volume, audit_days=30))
    for actor in ("old", "as old", "young"):
        if actor == "young":
            clock.advance(A_SECOND)
        origin = RequestOrigin(clock.now, actor, "user", "req_1", None)
        with context.database.write() as tx:
            audit.note_all(tx, [Act("job.cancel", "job_1", None, origin)])
    clock.advance(timedelta(days=30))
    with pruning(context, batch_rows=1):
        eventually(lambda: rows(context.database, audit_entries.c.actor) == {"young"})


def test_a_worker_that_ended_long_ago_is_removed_unless_an_attempt_refers_to_it(
    context: AppContext, clock: Clock
) -> None:
    assert timedelta(days=30) == WORKER_RETENTION
    with context.database.write() as tx:
        for worker_id, state in {
            "wrk_lost": WorkerState.LOST,
            "wrk_gone": WorkerState.GONE,
            "wrk_with_attempt": WorkerState.GONE,
            "wrk_active": WorkerState.ACTIVE,
            "wrk_draining": WorkerState.DRAINING,
        }.items():
            ensure_worker(tx, worker_id, state=state, last_seen_at=clock.now)
        ensure_job(tx, "job_1")
        add_attempt(tx, clock, "job_1", "wrk_with_attempt")
    clock.advance(A_SECOND)
    with context.database.write() as tx:
        ensure_worker(tx, "wrk_lost_lately", state=WorkerState.LOST, last_seen_at=clock.now)
    clock.advance(WORKER_RETENTION)
    with pruning(context):
        eventually(
            lambda: (
                rows(context.database, workers_table.c.id)
                == {"wrk_with_attempt", "wrk_active", "wrk_draining", "wrk_lost_lately"}
            )
        )


def test_servers_that_were_last_alive_a_day_ago_are_removed(
    context: AppContext, clock: Clock
) -> None:
    with context.database.write() as tx:
        server_heartbeats.put(tx, "srv_old", clock.now)
    clock.advance(SERVER_RETENTION + A_SECOND)
    with context.database.write() as tx:
        server_heartbeats.put(tx, "srv_own", clock.now)
    with pruning(context):
        eventually(lambda: rows(context.database, servers_table.c.server_id) == {"srv_own"})


def test_samples_are_removed_a_week_after_their_hour(context: AppContext, clock: Clock) -> None:
    assert timedelta(days=7) == SAMPLE_RETENTION
    begins = [seconds_of(clock.now), seconds_of(clock.now) + 3600]
    with context.database.write() as tx:
        for begin in begins:
            samples.add(tx, [StoredSample("wrk_1", begin, Sample(cpu_use=0.5))])
            samples.move_hour(tx, "wrk_1", begin)
    clock.advance(SAMPLE_RETENTION + timedelta(hours=1, seconds=1))
    with pruning(context):
        eventually(lambda: rows(context.database, sample_hours.c.hour) == {begins[1]})


def test_events_and_metrics_are_removed_whose_job_is_not_there(
    context: AppContext, clock: Clock
) -> None:
    with context.database.write() as tx:
        ensure_job(tx, "job_2")
        for job_id in ("job_1", "job_2", "job_3"):
            history.note(tx, job_id, None, "note", "a line", clock.now)
            series.add(tx, job_id, [("loss", step, 0.5) for step in range(3)])
            series.compact(tx, job_id)
            series.add(tx, job_id, [("loss", step, 0.5) for step in range(3, 6)])
    tables = (events, metrics, series_arrays)
    with pruning(context):
        eventually(
            lambda: all(rows(context.database, each.c.job_id) == {"job_2"} for each in tables)
        )
    with context.database.read() as tx:
        assert tx.execute(select(func.count()).select_from(metrics)).scalar_one() == 3


def test_no_transaction_of_the_pruner_removes_more_rows_than_a_batch(
    context: AppContext, clock: Clock
) -> None:
    with context.database.write() as tx:
        for number in range(7):
            idempotency.add(tx, f"key {number}", "sha", "job_1", clock.now)
            ensure_worker(tx, f"wrk_{number}", state=WorkerState.GONE, last_seen_at=clock.now)
            history.note(tx, f"job_{number}", None, "note", "a line", clock.now)
        series.add(tx, "job_1", [("loss", step, 0.5) for step in range(7)])
    clock.advance(WORKER_RETENTION + A_SECOND)
    tables = (idempotency_keys, workers_table, events, metrics)
    with removals(context.database) as removed, pruning(context, batch_rows=3):
        for table in tables:
            eventually(lambda table=table: not rows(context.database, *table.primary_key))
    assert sum(removed) == 28
    assert max(removed) == 3


def test_a_job_that_is_there_again_keeps_its_history(context: AppContext, clock: Clock) -> None:
    with context.database.write() as tx:
        history.note(tx, "job_1", None, "note", "a line", clock.now)
        series.add(tx, "job_1", [("loss", 1, 0.5)])
        jobless = history.jobless_ids(tx, 10)
        ensure_job(tx, "job_1")
        assert history.delete_jobless_events(tx, jobless, 10) == 0
        assert history.delete_jobless_metrics(tx, jobless, 10) == 0
        series.compact(tx, "job_1")
        assert history.delete_jobless_series(tx, jobless, 10) == 0
    assert jobless == ["job_1"]


@contextmanager
def pruning(context: AppContext, batch_rows: int = 500) -> Iterator[None]:
    loop = pruner_loop(context, batch_rows)
    loop.start()
    yield
    loop.stop()
    assert loop.join(DEADLINE_SECONDS)
    assert loop.errors == 0


@contextmanager
def removals(database: Database) -> Iterator[list[int]]:
    """How many rows each transaction removes."""
    removed: list[int] = []

    def began(_: Connection) -> None:
        removed.append(0)

    def executed(_: object, cursor: object, statement: str, *__: object) -> None:
        if statement.startswith("DELETE"):
            removed[-1] += cursor.rowcount  # type: ignore[attr-defined]

    # The pruner's are the only transactions that write meanwhile.
    event.listen(database.engine, "begin", began)
    event.listen(database.engine, "after_cursor_execute", executed)
    yield removed
    event.remove(database.engine, "begin", began)
    event.remove(database.engine, "after_cursor_execute", executed)


def rows(database: Database, *columns: object) -> set[object]:
    with database.read() as tx:
        return {row[0] for row in tx.execute(select(*columns))}  # type: ignore[call-overload]


def add_attempt(tx: Connection, clock: Clock, job_id: str, worker_id: str) -> None:
    attempt = Attempt(
        job_id=job_id,
        number=1,
        worker_id=worker_id,
        state=AttemptState.LOST,
        created_at=clock.now,
    )
    attempts.add(tx, attempt, token="t", request_id="r")
