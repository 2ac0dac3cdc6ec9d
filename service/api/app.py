"""The control plane as an ASGI application."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

from fastapi import FastAPI

from service.api import (
    agent,
    checkpoints,
    dashboard,
    errors,
    import_export,
    job_actions,
    jobs,
    maintenance,
    ops,
    stream,
    workers,
)
from service.api.query_names import KnownQueries
from service.api.requests import RequestFrame
from service.background.gc import GcLoop
from service.background.notification_relay import NotificationRelay
from service.background.reaper import ReaperLoop
from service.context import AppContext
from service.domain.limits import parse_limits
from service.store import attempts, idempotency, limits
from service.store import workers as workers_store

_KEYS_KEPT = timedelta(days=7)


def build_app(context: AppContext) -> FastAPI:
    """The routes over a context whose database is migrated; sweeps while it serves."""

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        context.notifier.attach()
        with context.database.write() as tx:
            workers_store.renew_all(tx, context.now())
            attempts.renew_all(tx, context.now())
            limits.put(tx, parse_limits(context.settings.limits))
            idempotency.delete_before(tx, context.now() - _KEYS_KEPT)
        reaping, tidying = ReaperLoop(context), GcLoop(context)
        bell = NotificationRelay(context.database, context.notifier, context.new_id("srv"))
        bell.start()
        reaping.start()
        tidying.start()
        yield
        tidying.stop()
        reaping.stop()
        bell.stop()

    app = FastAPI(
        title="Trainyard",
        version=ops.VERSION,
        summary="Train and eval jobs of the ShuffleNet series.",
        lifespan=lifespan,
    )
    app.state.context = context
    app.add_middleware(RequestFrame)
    errors.install(app)
    for routes in (
        jobs,
        job_actions,
        stream,
        import_export,
        maintenance,
        checkpoints,
        workers,
        ops,
    ):
        app.include_router(routes.router, dependencies=[KnownQueries])
    app.include_router(agent.router)
    dashboard.mount(app)
    return app
