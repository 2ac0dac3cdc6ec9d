from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection

from service.store.engine import Database
from service.store.migrate import downgrade, upgrade
from service.store.tables import metadata


def test_the_migrations_leave_what_the_tables_say(empty_url: str) -> None:
    database = Database(empty_url)
    with database.write() as tx:
        upgrade(tx)
        assert differences(tx) == []
    database.close()


def test_a_difference_between_migrations_and_tables_is_found(empty_url: str) -> None:
    database = Database(empty_url)
    with database.write() as tx:
        upgrade(tx)
        tx.execute(sa.text("DROP INDEX ix_jobs_state_id"))
        tx.execute(sa.text("ALTER TABLE workers DROP COLUMN host"))
        assert {difference[0] for difference in differences(tx)} == {"add_index", "add_column"}
    database.close()


def test_the_migrations_can_be_taken_back_and_applied_again(empty_url: str) -> None:
    database = Database(empty_url)
    with database.write() as tx:
        upgrade(tx)
        downgrade(tx)
        assert sa.inspect(tx).get_table_names() == ["alembic_version"]
        upgrade(tx)
        assert differences(tx) == []
    database.close()


def test_a_migration_that_is_rolled_back_leaves_nothing(empty_url: str) -> None:
    database = Database(empty_url)
    with database.engine.connect() as tx:
        with tx.begin() as begun:
            upgrade(tx)
            begun.rollback()
        assert sa.inspect(tx).get_table_names() == []
    database.close()


def test_servers_that_start_at_once_migrate_once(empty_url: str) -> None:
    database, start = Database(empty_url), Barrier(3)

    def migrate(_: int) -> None:
        start.wait()
        with database.write() as tx:
            upgrade(tx)

    with ThreadPoolExecutor(3) as threads:
        list(threads.map(migrate, range(3)))
    with database.read() as tx:
        assert sa.inspect(tx).has_table("jobs")
    database.close()


def differences(tx: Connection) -> list[tuple[object, ...]]:
    context = MigrationContext.configure(tx, opts={"compare_type": True})
    return compare_metadata(context, metadata)
