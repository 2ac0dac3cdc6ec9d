import math
import os
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event

import pytest
from sqlalchemy import Connection, text
from sqlalchemy.exc import OperationalError, StatementError

from api_tests.support.postgres import Postgres
from api_tests.support.rows import ensure_job
from service.store import jobs
from service.store.engine import Database
from service.store.migrate import upgrade
from service.store.sqlite import DatabaseInUse


def test_a_second_server_on_the_same_file_is_refused_with_what_to_do(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/trainyard.db"
    first = Database(url)
    with pytest.raises(DatabaseInUse, match=r"another server has .*trainyard\.db open: stop it"):
        Database(url)
    first.close()
    Database(url).close()


def test_a_second_server_is_refused_by_whatever_name_it_calls_the_file(tmp_path: Path) -> None:
    first = Database(f"sqlite:///{tmp_path}/trainyard.db")
    (tmp_path / "link.db").symlink_to(tmp_path / "trainyard.db")
    with pytest.raises(DatabaseInUse):
        Database(f"sqlite:///{tmp_path}/link.db")
    first.close()


def test_any_number_of_servers_share_a_postgres(postgres: Postgres) -> None:
    url = postgres.make()
    servers = [Database(url), Database(url)]
    for number, server in enumerate(servers):
        with server.write() as tx:
            remember(tx, f"key {number}")
    assert [remembered(server) for server in servers] == [2, 2]
    for server in servers:
        server.close()


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:"])
def test_a_database_in_memory_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="needs a file"):
        Database(url)


def test_the_folder_of_the_file_is_made(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path}/deep/er/trainyard.db")
    assert sorted(os.listdir(tmp_path / "deep/er")) == ["trainyard.db", "trainyard.db.lock"]
    database.close()


def test_the_files_of_sqlite_are_for_their_user_alone(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path}/trainyard.db")
    with database.migrate() as tx:
        upgrade(tx)
    files = sorted(tmp_path.iterdir())
    assert [file.name.removeprefix("trainyard.db") for file in files] == [
        "",
        "-shm",
        "-wal",
        ".lock",
    ]
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}
    database.close()


def test_sqlite_writes_ahead_and_waits_for_the_disk(sqlite: Database) -> None:
    with sqlite.write() as tx:
        assert pragma(tx, "journal_mode") == "wal"
        assert pragma(tx, "synchronous") == 2
        assert pragma(tx, "foreign_keys") == 1
    with sqlite.read() as tx:
        assert pragma(tx, "journal_mode") == "wal"


def test_a_read_cannot_write_on_sqlite(sqlite: Database) -> None:
    with sqlite.read() as tx, pytest.raises(OperationalError, match="readonly"):
        tx.execute(text("DELETE FROM jobs"))


def test_a_write_that_fails_leaves_nothing(database: Database) -> None:
    def fail() -> None:
        with database.write() as tx:
            remember(tx, "key")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert remembered(database) == 0


def test_a_read_sees_one_moment_on_sqlite(sqlite: Database) -> None:
    with sqlite.read() as tx:
        count = text("SELECT count(*) FROM idempotency_keys")
        assert tx.execute(count).scalar_one() == 0
        with sqlite.write() as writing:
            remember(writing, "key")
        assert tx.execute(count).scalar_one() == 0
    assert remembered(sqlite) == 1


def test_writers_wait_for_each_other_on_sqlite(sqlite: Database) -> None:
    first_is_done, begun = Event(), Event()

    def second() -> int:
        begun.set()
        with sqlite.write() as tx:
            assert first_is_done.is_set()
            remember(tx, "second")
        return remembered(sqlite)

    with ThreadPoolExecutor(1) as threads:
        with sqlite.write() as tx:
            waiting = threads.submit(second)
            begun.wait()
            remember(tx, "first")
            first_is_done.set()
        assert waiting.result() == 2


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_no_number_that_json_lacks_is_stored(database: Database, value: float) -> None:
    refused = pytest.raises((StatementError, ValueError), match="not JSON compliant")
    with refused, database.write() as tx:
        ensure_job(tx, "job_1", metrics={"loss": value})


def test_nan_that_an_older_version_has_stored_on_sqlite_is_read_as_null(sqlite: Database) -> None:
    with sqlite.write() as tx:
        ensure_job(tx, "job_1", result={"loss": 1, "deep": [1]})
        raw = '{"loss": NaN, "deep": [-Infinity, 2]}'
        tx.execute(text("UPDATE jobs SET metrics = :raw, result = :raw"), {"raw": raw})
    with sqlite.read() as tx:
        row = jobs.get(tx, "job_1")
    assert row is not None
    assert row.job.metrics == {}
    assert row.job.result == {"loss": None, "deep": [None, 2]}


def pragma(tx: Connection, name: str) -> object:
    return tx.execute(text(f"PRAGMA {name}")).scalar_one()


def remember(tx: Connection, key: str) -> None:
    statement = (
        "INSERT INTO idempotency_keys (key, body_sha256, job_id, created_at) "
        "VALUES (:key, 'sha', 'job', '2026-01-01 00:00:00')"
    )
    tx.execute(text(statement), {"key": key})


def remembered(database: Database) -> int:
    with database.read() as tx:
        return int(tx.execute(text("SELECT count(*) FROM idempotency_keys")).scalar_one())
