"""Idempotency keys in both databases."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest
from sqlalchemy.exc import IntegrityError

from api_tests.support.database_locks import is_waiting
from api_tests.support.server import wait_for
from service.store import idempotency
from service.store.engine import Database
from service.store.idempotency import StoredKey

NOW = datetime(2026, 11, 27, tzinfo=UTC)


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_two_calls_with_the_same_keys_in_another_order_do_not_lock_each_other_out(
    database: Database,
) -> None:
    def store(keys: list[str]) -> None:
        with database.write() as tx:
            idempotency.add_all(tx, [StoredKey(key, "digest", "", NOW) for key in keys])

    with ThreadPoolExecutor(1) as thread, database.write() as tx:
        idempotency.add(tx, "first", "digest", "", NOW)
        stored = thread.submit(store, ["second", "first"])
        wait_for(lambda: is_waiting(database), "the other call to wait for the first key")
        idempotency.add(tx, "second", "digest", "", NOW)
        tx.commit()
        with pytest.raises(IntegrityError):
            stored.result(30)
