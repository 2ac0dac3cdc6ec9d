"""What of a database's errors trying again may mend, by real errors of both."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Connection, insert, text
from sqlalchemy.exc import DBAPIError

from service.store.engine import Database
from service.store.outages import is_disk_full, is_outage
from service.store.tables import deleted_jobs


def test_a_full_disk_is_an_outage(sqlite: Database) -> None:
    def fill(tx: Connection) -> None:
        tx.execute(text("PRAGMA max_page_count = 1"))
        tx.execute(insert(deleted_jobs), [{"job_id": f"{n:064}"} for n in range(1000)])

    error = error_of(sqlite, fill)
    assert (is_outage(error), is_disk_full(error)) == (True, True)


def test_a_full_disk_of_a_database_server_is_one_too(postgres: Any) -> None:
    database = Database(postgres.make())
    raised = "DO $$ BEGIN RAISE EXCEPTION 'no space left' USING ERRCODE = '53100'; END $$"
    error = error_of(database, lambda tx: tx.execute(text(raised)))
    assert (is_outage(error), is_disk_full(error)) == (True, True)
    database.close()


def test_a_connection_that_is_ended_is_an_outage(postgres: Any) -> None:
    database = Database(postgres.make())
    end = text("SELECT pg_terminate_backend(pg_backend_pid())")
    error = error_of(database, lambda tx: tx.execute(end))
    assert (is_outage(error), is_disk_full(error)) == (True, False)
    database.close()


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT * FROM no_such_table",
        "SELEC 1",
        "INSERT INTO deleted_jobs (job_id) VALUES (NULL)",
    ],
)
def test_a_statement_that_is_refused_is_none(database: Database, statement: str) -> None:
    error = error_of(database, lambda tx: tx.execute(text(statement)))
    assert (is_outage(error), is_disk_full(error)) == (False, False)


def error_of(database: Database, act: Callable[[Connection], Any]) -> DBAPIError:
    with pytest.raises(DBAPIError) as raised, database.write() as tx:
        act(tx)
    return raised.value
