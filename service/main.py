"""The process of the control plane."""

import asyncio
import gc
import ipaddress
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
from alembic.util import CommandError
from pydantic import ValidationError
from setproctitle import setproctitle
from sqlalchemy.exc import ArgumentError, DBAPIError

from service.api.app import build_app
from service.background.services import BackgroundServices
from service.context import AppContext
from service.contract.ids import new_id
from service.contract.sentences import sentences_of
from service.contract.traces import Tracer, TracesUnavailable, tracer_of
from service.http_connection import HttpConnection, connection_limit, note_loop_error
from service.notifier import Notifier
from service.settings import Settings
from service.store import access_tokens, volumes
from service.store.engine import Database, DatabaseInUse, ForeignKeysBroken
from service.store.migrate import revision_of, upgrade
from service.telemetry import configure_logs
from service.volume.identity import IDENTITY_FILE, difference, identity_of, make_identity

_GRACE_SECONDS = 5
_BACKLOG = 128
"""Connections that the kernel keeps until they are accepted, and that are accepted at once."""
_log = structlog.get_logger()


class CannotStart(Exception):
    """The server cannot start with its settings; the message says what to change."""


def serve(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT; raises CannotStart."""
    setproctitle("trainyard: server")
    configure_logs()
    listening = listen(settings)
    with listening:
        database = _open(settings)
        try:
            volume_id = _volume_identity(settings, database)
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
                    backlog=_BACKLOG,
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
    database = _open(settings)
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


def listen(settings: Settings) -> socket.socket:
    """A socket that listens on the address of the settings; raises CannotStart."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    # With the protocol named, asyncio turns off Nagle's algorithm: an answer's body, which is sent
    # after its head, would otherwise wait for the acknowledgement of the head, which takes 40 ms.
    listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((settings.host, settings.port))
        # Listen now, so that a second server fails here, and not only when the first one ends.
        listening.listen(_BACKLOG)
    except (UnicodeError, TypeError) as error:
        # A name that has no form in the encoding of host names.
        listening.close()
        raise CannotStart(f"{settings.host!r} is no address to listen on") from error
    except OSError as error:
        listening.close()
        raise CannotStart(
            f"cannot listen on {settings.host}:{settings.port} ({error.strerror}): "
            "choose another --port, or stop what uses it"
        ) from error
    return listening


def check_exposure(address: str, settings: Settings, database: Database) -> None:
    """Raise CannotStart for an address beyond this machine while there is no token."""
    if settings.token is not None or ipaddress.ip_address(address).is_loopback:
        return
    with database.read() as tx:
        if access_tokens.is_any(tx):
            return
    raise CannotStart(
        f"on {address} others than this machine could change everything: make a first token with "
        "`trainyard token create --admin` (it takes the data folder or the database of this "
        "server), set TRAINYARD_TOKEN, as `openssl rand -hex 24` gives one, or listen on 127.0.0.1"
    )


def _open(settings: Settings) -> Database:
    for folder in (settings.volume, settings.data_root, settings.import_root):
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise CannotStart(f"cannot create {folder}: {error.strerror}") from error
    return open_database(settings.database_url)


def open_database(url: str) -> Database:
    """The database of a URL, migrated to the newest schema; raises CannotStart."""
    try:
        database = Database(url)
    except DatabaseInUse as error:
        raise CannotStart(str(error)) from error
    except (ArgumentError, ImportError, OSError, ValueError) as error:
        raise CannotStart(f"cannot use TRAINYARD_DATABASE_URL: {error}") from error
    try:
        with database.migrate() as tx:
            upgrade(tx)
    except DBAPIError as error:
        database.close()
        cause = " ".join(str(error.orig).split())
        raise CannotStart(f"the database {database.url!r} cannot be used: {cause}") from error
    except ForeignKeysBroken as error:
        database.close()
        raise CannotStart(f"the database {database.url!r} cannot be migrated: {error}") from error
    except CommandError as error:
        database.close()
        message = (
            f"the database {database.url!r} was made by another version of Trainyard ({error}): "
            "install that version, or use another database"
        )
        raise CannotStart(message) from error
    return database


def _volume_identity(settings: Settings, database: Database) -> str:
    """The identity of the volume, made by the first server; raises CannotStart for another one."""
    root, now = settings.volume, datetime.now(UTC)
    with database.read() as tx:
        expected = volumes.identity(tx)
    try:
        if expected is None:
            made = make_identity(root, new_id("vol"))
            with database.write() as tx:
                expected = volumes.set_identity(tx, made, now)
        present = identity_of(root)
    except OSError as error:
        raise CannotStart(f"cannot use the volume {root}: {error.strerror}") from error
    if present != expected:
        file = root / IDENTITY_FILE
        raise CannotStart(
            f"{difference(root, present, expected)}: mount that volume; if this folder has "
            f"replaced it, as after a restore, write {expected} into {file}"
        )
    return expected


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
