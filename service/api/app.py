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
from service.api.dependencies import Yard
from service.api.requests import RequestFrame
from service.background.gc import Tidying
from service.background.notification_relay import Bell
from service.background.reaper import Reaping
from service.domain.limits import parse_limits
from service.store import attempts, idempotency, limits
from service.store import workers as workers_store

_KEYS_KEPT = timedelta(days=7)


def build_app(yard: Yard) -> FastAPI:
    """The routes over a yard whose database is migrated; sweeps while it serves."""

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yard.wakeups.attach()
        with yard.database.write() as tx:
            workers_store.renew_all(tx, yard.now())
            attempts.renew_all(tx, yard.now())
            limits.put(tx, parse_limits(yard.settings.limits))
            idempotency.forget_before(tx, yard.now() - _KEYS_KEPT)
        reaping, tidying = Reaping(yard), Tidying(yard)
        bell = Bell(yard.database, yard.wakeups, yard.new_id("srv"))
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
    app.state.yard = yard
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
        agent,
        ops,
    ):
        app.include_router(routes.router)
    dashboard.mount(app)
    return app
