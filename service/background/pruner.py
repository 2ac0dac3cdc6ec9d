"""The loop that removes rows which nothing needs any more."""

from datetime import timedelta

import structlog

from service.context import AppContext
from service.contract.loop import Loop
from service.control.leases.samples import SAMPLE_RETENTION, seconds_of
from service.control.scheduling import catalogs
from service.store import (
    access_tokens,
    audit,
    history,
    idempotency,
    job_traces,
    samples,
    server_heartbeats,
    sessions,
    webhook_deliveries,
    webhooks,
    workers,
)
from service.store.engine import Database
from service.store.outages import DATABASE_OUTAGES

KEY_RETENTION = timedelta(days=7)
WORKER_RETENTION = timedelta(days=30)
SERVER_RETENTION = timedelta(days=1)
"""A server that starts needs the newest row alone, and this server's own is newer."""
CATALOG_RETENTION = timedelta(days=1)
DELIVERY_RETENTION = timedelta(days=30)
MOST_DELIVERIES = 1000
"""Ended deliveries of each webhook that are kept, the newest ones."""
REVOKED_TOKEN_RETENTION = timedelta(days=365)

_EVERY_SECONDS = 600.0
_NEXT_BATCH_SECONDS = 0.1
_BATCH_ROWS = 500
_log = structlog.get_logger()


def pruner_loop(context: AppContext, batch_rows: int = _BATCH_ROWS) -> Loop:
    """Removes at most `batch_rows` of each kind in a turn, and comes back soon if there is more.

    A batch is a short transaction of its own: no claim and no heartbeat waits for long.
    """

    def prune() -> float | None:
        removed = _prune_batch(context, batch_rows)
        if any(removed.values()):
            _log.info("rows_pruned", **removed)
        return _NEXT_BATCH_SECONDS if any(removed.values()) else None

    return Loop("pruner", _EVERY_SECONDS, prune, log=_log, outages=DATABASE_OUTAGES)


def _prune_batch(context: AppContext, limit: int) -> dict[str, int]:
    database, now = context.database, context.now()
    with database.write() as tx:
        keys = idempotency.delete_before(tx, now - KEY_RETENTION, limit)
    with database.write() as tx:
        ended_workers = workers.delete_ended_before(tx, now - WORKER_RETENTION, limit)
    with database.write() as tx:
        unused = catalogs.delete_unused(tx, now - CATALOG_RETENTION)
    with database.write() as tx:
        servers = server_heartbeats.delete_before(tx, now - SERVER_RETENTION, limit)
    with database.write() as tx:
        hours = samples.delete_hours_before(tx, seconds_of(now - SAMPLE_RETENTION), limit)
    with database.write() as tx:
        old = webhook_deliveries.delete_ended_before(tx, now - DELIVERY_RETENTION, limit)
    with database.write() as tx:
        old += webhook_deliveries.delete_beyond(tx, MOST_DELIVERIES, limit)
    with database.write() as tx:
        secrets = webhooks.delete_expired_secrets(tx, now)
    with database.write() as tx:
        traces = job_traces.delete_jobless(tx, limit)
    removed = {"idempotency_keys": keys, "workers": ended_workers, "catalogs": unused}
    removed |= {"servers": servers, "sample_hours": hours, "webhook_deliveries": old}
    removed |= {"job_traces": traces, "webhook_secrets": secrets}
    with database.write() as tx:
        tokens = access_tokens.delete_revoked_before(tx, now - REVOKED_TOKEN_RETENTION, limit)
        ended_sessions = sessions.delete_expired(tx, now, limit)
    with database.write() as tx:
        kept = timedelta(days=context.settings.audit_days)
        audited = audit.delete_before(tx, now - kept, limit)
    removed |= {"access_tokens": tokens, "sessions": ended_sessions, "audit_entries": audited}
    return removed | _prune_jobless(database, limit)


def _prune_jobless(database: Database, limit: int) -> dict[str, int]:
    # Looked for in a transaction that only reads: on SQLite there is one that writes.
    with database.read() as tx:
        jobless = history.jobless_ids(tx, limit)
    if not jobless:
        return {}
    with database.write() as tx:
        events = history.delete_jobless_events(tx, jobless, limit)
    with database.write() as tx:
        metrics = history.delete_jobless_metrics(tx, jobless, limit)
    with database.write() as tx:
        series = history.delete_jobless_series(tx, jobless, limit)
    return {"events": events, "metrics": metrics, "series": series}
