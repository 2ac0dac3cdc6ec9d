"""Copies of a database: made beside a server that runs, checked, and put back while none does."""

import os
import shutil
import sqlite3
import subprocess
from contextlib import closing, suppress
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import quote

from sqlalchemy import NullPool, create_engine
from sqlalchemy.engine import URL

from service.contract.kernel import sync_folder
from service.store import server_heartbeats
from service.store.engine import Database, url_of
from service.store.migrate import revision_in, revisions

_ALIVE = timedelta(seconds=60)
"""A server that was alive within this time may live."""


class BackupFailed(Exception):
    """A copy cannot be made or put back; the message says what to change."""


def back_up(database_url: str, target: Path) -> None:
    """Copy the database into a new file: SQLite by its backup API, PostgreSQL by pg_dump.

    A server may run meanwhile; the copy is of one moment. It appears once it is whole, and is for
    this user alone, since it holds secrets. Raises BackupFailed.
    """
    if target.exists():
        raise BackupFailed(f"{target} is there already: name another file")
    partial = target.with_name(f".{target.name}.partial")
    url = url_of(database_url)
    try:
        if url.get_backend_name() == "sqlite":
            _copy(_file_of(url), partial)
        else:
            _run("pg_dump", url, "--format=custom", f"--file={partial}")
        partial.chmod(0o600)
        os.link(partial, target)
    except (OSError, sqlite3.Error) as error:
        raise BackupFailed(f"{target} cannot be written: {error}") from error
    finally:
        partial.unlink(missing_ok=True)
    sync_folder(target.parent)


def restore(database_url: str, source: Path, now: datetime) -> Path | None:
    """Put a copy in the place of the database; gives the file that keeps what SQLite had before.

    Raises BackupFailed, also while a server lives, and DatabaseInUse.
    """
    if not source.is_file():
        raise BackupFailed(f"{source} is not a file")
    url = url_of(database_url)
    if url.get_backend_name() != "sqlite":
        _require_no_server(url, now)
        single = ("--clean", "--if-exists", "--no-owner", "--single-transaction")
        _run("pg_restore", url, *single, str(source))
        return None
    _require_known(source)
    # It holds the lock by which a server keeps another one off.
    database = Database(database_url)
    try:
        return _replace(source, _file_of(url), now)
    except (OSError, sqlite3.Error) as error:
        raise BackupFailed(f"{url.database} cannot be replaced: {error}") from error
    finally:
        database.close()


def problems_of(database_url: str) -> list[str]:
    """What is wrong with a database, as far as it can tell itself; only reads."""
    url = url_of(database_url)
    problems: list[str] = []
    if url.get_backend_name() == "sqlite":
        try:
            with closing(_open(_file_of(url))) as opened:
                rows = opened.execute("PRAGMA integrity_check").fetchall()
                problems += [str(row[0]) for row in rows if row[0] != "ok"]
                broken = opened.execute("PRAGMA foreign_key_check").fetchall()
                problems += [f"a row of {row[0]} refers to none of {row[2]}" for row in broken]
        except sqlite3.Error as error:
            return [str(error)]
    present, known = revision_in(database_url), revisions()
    if present != known[-1]:
        problems.append(f"the schema is at {present}, and this version has {known[-1]}")
    return problems


def _replace(source: Path, file: Path, now: datetime) -> Path | None:
    fresh = file.with_name(f".{file.name}.restored")
    kept: Path | None = None
    try:
        _copy(source, fresh)
        fresh.chmod(0o600)
        if file.exists() and file.stat().st_size > 0:
            kept = file.with_name(f"{file.name}.before-{now:%Y%m%dT%H%M%S}")
            # What its WAL holds goes into the file, if it still is a database.
            with suppress(sqlite3.DatabaseError), closing(sqlite3.connect(file)) as old:
                old.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            os.rename(file, kept)
        for suffix in ("-wal", "-shm"):
            Path(f"{file}{suffix}").unlink(missing_ok=True)
        os.replace(fresh, file)
    finally:
        fresh.unlink(missing_ok=True)
    sync_folder(file.parent)
    return kept


def _copy(source: Path, target: Path) -> None:
    with closing(_open(source)) as opened, closing(sqlite3.connect(target)) as copy:
        opened.backup(copy)
        # One file alone, without a WAL beside it.
        copy.execute("PRAGMA journal_mode = DELETE")


def _open(file: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"file:{quote(str(file))}?mode=ro", uri=True)


def _file_of(url: URL) -> Path:
    return Path(url.database or "").absolute()


def _require_known(source: Path) -> None:
    try:
        with closing(_open(source)) as opened:
            (damage,) = opened.execute("PRAGMA quick_check(1)").fetchone()
            (revision,) = opened.execute("SELECT version_num FROM alembic_version").fetchone()
    except (sqlite3.Error, TypeError) as error:
        raise BackupFailed(f"{source} is no backup of Trainyard: {error}") from error
    if damage != "ok":
        raise BackupFailed(f"{source} is damaged: {damage}")
    if revision not in revisions():
        raise BackupFailed(
            f"{source} was made by a newer version (schema {revision}): install that version"
        )


def _require_no_server(url: URL, now: datetime) -> None:
    engine = create_engine(url, poolclass=NullPool)
    with engine.connect() as tx:
        has_table = tx.dialect.has_table(tx, "server_heartbeats")
        if has_table and server_heartbeats.is_any_alive(tx, now - _ALIVE, now + _ALIVE):
            raise BackupFailed(
                "a server of this database was alive within the last minute: stop all of them; "
                "after one was killed, wait a minute"
            )


def _run(program: str, url: URL, *options: str) -> None:
    """Run a program of PostgreSQL's client on a database; its password goes by the environment."""
    if shutil.which(program) is None:
        raise BackupFailed(
            f"{program} is not installed: install the client of PostgreSQL (postgresql-client)"
        )
    address = url.set(drivername="postgresql", password=None).render_as_string()
    environ = dict(os.environ) | ({"PGPASSWORD": str(url.password)} if url.password else {})
    command = [program, f"--dbname={address}", *options]
    ran = subprocess.run(command, env=environ, capture_output=True, text=True)
    if ran.returncode != 0:
        said = ran.stderr.strip() or f"exit status {ran.returncode}"
        raise BackupFailed(f"{program} failed: {said}")
