"""Everything that a server does beside its routes, from its start to its end."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog
from fastapi import FastAPI

from service.background.compactor import compactor_loop
from service.background.credentials import credentials_loop
from service.background.gc import gc_loop
from service.background.mlflow_loop import MlflowLoop
from service.background.notification_relay import NotificationRelay
from service.background.preemption_loop import preemption_loop
from service.background.pruner import pruner_loop
from service.background.reaper import reaper_loop
from service.background.recovery import recover
from service.background.sample_loops import sample_mover_loop, sample_writer_loop
from service.background.search_loop import search_loop
from service.background.server_heartbeat import server_heartbeat_loop
from service.background.space import space_loop
from service.background.sweep_loop import sweep_loop
from service.background.webhook_dispatcher import WebhookDispatcher
from service.context import AppContext
from service.control.webhooks.sender import Sender
from service.store import server_heartbeats
from service.store.outages import DATABASE_OUTAGES

_JOIN_SECONDS = 5.0
_WEBHOOK_JOIN_SECONDS = 1.0
"""A message that is being sent then is sent again after the next start, with the same id."""
_log = structlog.get_logger()


class BackgroundServices:
    """Recovery at the start, and the server's own loops while it serves."""

    def __init__(self, context: AppContext) -> None:
        self._context, self._server_id = context, context.new_id("srv")
        self._relay = NotificationRelay(context.database, context.notifier, self._server_id)
        self._webhooks = WebhookDispatcher(context, Sender(context.address_guard))
        # These wait for the database alone, so that the end of the server can wait for them.
        self._database_loops = (
            reaper_loop(context),
            pruner_loop(context),
            compactor_loop(context),
            sample_writer_loop(context),
            sample_mover_loop(context),
            server_heartbeat_loop(context, self._server_id),
            self._webhooks.loop,
            credentials_loop(context),
            sweep_loop(context),
            search_loop(context),
            preemption_loop(context),
        )
        uri = context.settings.mlflow_uri
        self._mlflow = MlflowLoop(context, uri) if uri else None
        # These wait for the volume and for MLflow, which may hang.
        mlflow_loops = [self._mlflow.loop] if self._mlflow is not None else []
        self._outer_loops = (gc_loop(context), space_loop(context), *mlflow_loops)
        context.loops.extend((*self._database_loops, *self._outer_loops, *self._relay.loops))

    @asynccontextmanager
    async def lifespan(self, _app: FastAPI) -> AsyncIterator[None]:
        """Recover and start; at the end stop. No call holds the event loop up."""
        self._context.notifier.attach()
        await asyncio.to_thread(self.start)
        try:
            yield
        finally:
            await asyncio.to_thread(self.stop)

    def start(self) -> None:
        """Recover, then start the loops; raises what the database raises."""
        recover(self._context, self._server_id)
        self._webhooks.recover()
        if self._mlflow is not None:
            self._mlflow.recover()
        self._context.credentials.refresh(self._context.now())
        self._relay.start()
        for loop in (*self._database_loops, *self._outer_loops):
            loop.start()

    def stop(self) -> None:
        """Stop the loops, and note the end of this server.

        A removal under way goes on until the process ends.
        """
        self._relay.stop()
        for loop in (*self._database_loops, *self._outer_loops):
            loop.stop()
        for loop in self._database_loops:
            loop.join(_JOIN_SECONDS)
        self._webhooks.join(_WEBHOOK_JOIN_SECONDS)
        self._relay.join(_JOIN_SECONDS)
        try:
            with self._context.database.write() as tx:
                server_heartbeats.put(tx, self._server_id, self._context.now(), stopped=True)
        except DATABASE_OUTAGES as error:
            _log.warning("end_not_noted", error=str(error).split("\n")[0])
