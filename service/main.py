"""The process of the control plane."""

import asyncio
import gc
import os
import random
import secrets
import signal
import socket
import sys
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from types import FrameType
from typing import Any

import structlog
import uvicorn
from pydantic import ValidationError
from setproctitle import setproctitle

from service.api.app import build_app
from service.background.services import BackgroundServices
from service.context import AppContext
from service.contract.ids import new_id
from service.contract.process_title import process_title
from service.contract.sentences import sentences_of
from service.contract.traces import Tracer, TracesUnavailable, tracer_of
from service.http_connection import HttpConnection, connection_limit, note_loop_error
from service.notifier import Notifier
from service.opening import (
    BACKLOG,
    CannotStart,
    check_exposure,
    listen,
    open_installation,
    volume_identity,
)
from service.settings import Settings
from service.store.engine import Database
from service.store.migrate import revision_of
from service.telemetry import configure_logs

_GRACE_SECONDS = 5
_log = structlog.get_logger()


def serve(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT; raises CannotStart."""
    setproctitle(process_title("server"))
    configure_logs()
    listening = listen(settings)
    with listening:
        database = open_installation(settings)
        try:
            volume_id = volume_identity(settings, database)
            context = replace(_context(settings, database), volume_id=volume_id)
            check_exposure(listening.getsockname()[0], settings, database)
            host, port = listening.getsockname()[:2]
            _log.info("serving", url=f"http://{host}:{port}")
            server = _Server(
                uvicorn.Config(
                    build_app(context, BackgroundServices(context).lifespan),
                    log_config=None,
                    access_log=False,
                    ws="none",
                    http=HttpConnection,
                    limit_concurrency=connection_limit(),
                    backlog=BACKLOG,
                    forwarded_allow_ips=settings.trusted_proxies,
                    timeout_graceful_shutdown=_GRACE_SECONDS,
                ),
                context.notifier,
            )
            # uvicorn raises the signal again at its end; this process must close its files before.
            for number in (signal.SIGTERM, signal.SIGINT):
                signal.signal(number, server.handle_exit)
            server.run(sockets=[listening])
            if context.tracer is not None:
                context.tracer.close()
        finally:
            database.close()


def upgrade_database(settings: Settings) -> str:
    """Migrate the database to the newest schema, and return its revision; raises CannotStart."""
    database = open_installation(settings)
    try:
        with database.read() as tx:
            return revision_of(tx)
    finally:
        database.close()


class _Server(uvicorn.Server):
    """A server that ends its long polls when it is asked to end, since they would delay the end."""

    def __init__(self, config: uvicorn.Config, notifier: Notifier) -> None:
        super().__init__(config)
        self._notifier = notifier

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Accept connections, and go on to do so when there are too many."""
        asyncio.get_running_loop().set_exception_handler(note_loop_error)
        await super().startup(sockets)
        # What is there now stays until the end: to look through it for garbage, every few seconds
        # under load, would take a tenth of the time.
        gc.collect()
        gc.freeze()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Begin to shut down; at the second signal, shut down at once."""
        super().handle_exit(sig, frame)
        self._notifier.close()


def _context(settings: Settings, database: Database) -> AppContext:
    return AppContext(
        settings=settings,
        database=database,
        now=lambda: datetime.now(UTC),
        new_id=new_id,
        new_token=lambda: secrets.token_urlsafe(24),
        draw=random.random,
        tracer=_tracer(),
    )


def _tracer() -> Tracer | None:
    """Raises CannotStart where traces are asked for and cannot be made."""
    try:
        return tracer_of(os.environ, "trainyard-server")
    except TracesUnavailable as error:
        raise CannotStart(str(error)) from error


def main() -> int:
    """Run the server with the settings of the environment: `python -m service.main`."""
    try:
        serve(Settings())
    except ValidationError as error:
        sys.stderr.write(f"{'; '.join(sentences_of(error, _variable))}\n")
        return 2
    except CannotStart as error:
        sys.stderr.write(f"{error}\n")
        return 2
    return 0


def _variable(error: Mapping[str, Any]) -> str:
    return ".".join(f"TRAINYARD_{str(name).upper()}" for name in error["loc"])


if __name__ == "__main__":
    sys.exit(main())
