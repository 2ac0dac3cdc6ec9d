"""What a server opens before it serves: its address, its database, its volume."""

import ipaddress
import socket
from datetime import UTC, datetime

from alembic.util import CommandError
from sqlalchemy.exc import ArgumentError, DBAPIError

from service.contract.ids import new_id
from service.settings import Settings
from service.store import access_tokens, volumes
from service.store.engine import Database, ForeignKeysBroken
from service.store.migrate import upgrade
from service.store.sqlite import DatabaseInUse
from service.volume.identity import IDENTITY_FILE, difference, identity_of, make_identity

BACKLOG = 128
"""Connections that the kernel keeps until they are accepted, and that are accepted at once."""


class CannotStart(Exception):
    """The server cannot start with its settings; the message says what to change."""


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
        listening.listen(BACKLOG)
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


def open_installation(settings: Settings) -> Database:
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


def volume_identity(settings: Settings, database: Database) -> str:
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
