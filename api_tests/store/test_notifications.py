"""What several servers over one PostgreSQL tell each other, and in which order they see it."""

import asyncio
import threading
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from sqlalchemy import text

from api_tests.support.polling import eventually
from api_tests.support.postgres import Postgres
from service.background.notification_relay import NotificationRelay
from service.notifier import Notifier
from service.store import history
from service.store.engine import Database

NOW = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def databases(postgres: Postgres) -> Iterator[tuple[Database, Database]]:
    """Two servers' ways to one database."""
    url = postgres.make()
    one, two = Database(url), Database(url)
    yield one, two
    one.close()
    two.close()


def test_a_notification_in_one_server_wakes_who_waits_at_the_other(
    databases: tuple[Database, Database],
) -> None:
    with _RelayedServer(databases[0], "one") as one, _RelayedServer(databases[1], "two") as two:
        before = one.count, two.count
        one.notifier.notify()
        eventually(lambda: two.count > before[1])
        eventually(lambda: one.count == before[0] + 1)


def test_a_relay_whose_connection_was_cut_listens_again(
    databases: tuple[Database, Database],
) -> None:
    with _RelayedServer(databases[0], "one") as one, _RelayedServer(databases[1], "two") as two:
        before = two.count
        with databases[0].write() as tx:
            tx.execute(
                text(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                    "WHERE query LIKE 'LISTEN%' AND datname = current_database()"
                )
            )
        # Listening anew it notifies, since it may have missed something.
        eventually(lambda: two.count > before)
        before = two.count
        one.notifier.notify()
        eventually(lambda: two.count > before)


def test_an_event_waits_for_those_before_it_that_are_not_committed_yet(
    databases: tuple[Database, Database],
) -> None:
    slow, quick = databases
    with slow.write() as tx:
        history.note(tx, "job_1", None, "note", "drawn first", NOW)
        with quick.write() as other:
            history.note(other, "job_2", None, "note", "committed first", NOW)
        with quick.read() as reader:
            assert history.events_of_all(reader, 0, 10) == []
    with quick.read() as reader:
        messages = [event.message for event in history.events_of_all(reader, 0, 10)]
    assert messages == ["drawn first", "committed first"]


class _RelayedServer:
    """A server's event loop with its relay."""

    def __init__(self, database: Database, name: str) -> None:
        self.notifier = Notifier()
        self._relay = NotificationRelay(database, self.notifier, name)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)

    @property
    def count(self) -> int:
        """How many notifications came here."""
        return self.notifier.count

    def __enter__(self) -> "_RelayedServer":
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._attach(), self._loop).result()
        self._relay.start()
        eventually(lambda: self.count > 0)
        return self

    async def _attach(self) -> None:
        self.notifier.attach()

    def __exit__(self, *_: object) -> None:
        self._relay.stop()
        self._relay.join()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
