import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import delete, insert, text

from service.store import history
from service.store.engine import Database
from service.store.migrate import downgrade, upgrade
from service.store.tables import events

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def test_the_number_of_a_deleted_event_is_not_given_again(database: Database) -> None:
    last = note(database, "job_1")
    with database.write() as tx:
        history.delete_of_job(tx, "job_1")
    assert note(database, "job_2") > last


def test_an_upgrade_keeps_the_numbers_and_does_not_give_them_again(empty_url: str) -> None:
    database = Database(empty_url)
    with database.migrate() as tx:
        upgrade(tx, "0006")
    last = [note_of_old(database, job_id) for job_id in ("job_1", "job_2")][-1]
    with database.migrate() as tx:
        upgrade(tx)
        assert [event.number for event in history.events_of_all(tx, 0, 10)] == [last - 1, last]
        tx.execute(delete(events))
    assert note(database, "job_3") > last
    with database.migrate() as tx:
        downgrade(tx, "0006")
    database.close()


@pytest.mark.parametrize("is_new", [True, False], ids=["without events", "with events"])
def test_numbers_are_raised_and_never_set_back(database: Database, is_new: bool) -> None:
    if not is_new:
        note(database, "job_1")
    raise_numbers(database, 5_000_000_000)
    assert note(database, "job_1") > 5_000_000_000
    raise_numbers(database, 1000)
    assert note(database, "job_1") > 5_000_000_001


def test_what_a_restored_database_had_given_is_not_given_again(
    sqlite: Database, tmp_path: Path
) -> None:
    raise_numbers(sqlite, milliseconds(NOW))
    note(sqlite, "job_1")
    with sqlite.read() as tx:
        tx.execute(text("PRAGMA wal_checkpoint"))
    shutil.copy(tmp_path / "trainyard.db", tmp_path / "backup.db")
    last = [note(sqlite, "job_1") for _ in range(20)][-1]
    restored = Database(f"sqlite:///{tmp_path}/backup.db")
    raise_numbers(restored, milliseconds(NOW + timedelta(seconds=1)))
    assert note(restored, "job_1") > last
    restored.close()


def milliseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)


def raise_numbers(database: Database, floor: int) -> None:
    with database.write() as tx:
        history.raise_numbers(tx, floor)


def note_of_old(database: Database, job_id: str) -> int:
    """The number of a new event, in the columns that there were at first."""
    values = {"job_id": job_id, "kind": "note", "message": "a note", "created_at": NOW}
    with database.write() as tx:
        tx.execute(insert(events).inline().values(values))
        return history.newest_number(tx)


def note(database: Database, job_id: str) -> int:
    """The number of a new event."""
    with database.write() as tx:
        history.note(tx, job_id, None, "note", "a note", NOW)
        return history.newest_number(tx)
