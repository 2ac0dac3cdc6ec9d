import sys
from subprocess import PIPE, Popen

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection

from api_tests.support.postgres import Postgres
from service.store.engine import Database
from service.store.migrate import downgrade, upgrade
from service.store.tables import metadata


class _BrokenMigration(Exception):
    pass


def test_the_migrations_leave_what_the_tables_say(empty_url: str) -> None:
    database = Database(empty_url)
    with database.migrate() as tx:
        upgrade(tx)
        assert differences(tx) == []
    database.close()


def test_a_difference_between_migrations_and_tables_is_found(empty_url: str) -> None:
    database = Database(empty_url)
    with database.migrate() as tx:
        upgrade(tx)
        tx.execute(sa.text("DROP INDEX ix_jobs_state_id"))
        tx.execute(sa.text("ALTER TABLE workers DROP COLUMN host"))
        assert {difference[0] for difference in differences(tx)} == {"add_index", "add_column"}
    database.close()


def test_the_migrations_can_be_taken_back_and_applied_again(empty_url: str) -> None:
    database = Database(empty_url)
    with database.migrate() as tx:
        upgrade(tx)
        downgrade(tx)
        assert sa.inspect(tx).get_table_names() == ["alembic_version"]
        upgrade(tx)
        assert differences(tx) == []
    database.close()


def test_a_migration_that_is_rolled_back_leaves_nothing(empty_url: str) -> None:
    database = Database(empty_url)
    with pytest.raises(_BrokenMigration):
        _upgrade_and_fail(database)
    with database.read() as tx:
        assert sa.inspect(tx).get_table_names() == []
    database.close()


def _upgrade_and_fail(database: Database) -> None:
    with database.migrate() as tx:
        upgrade(tx)
        raise _BrokenMigration


def test_servers_that_start_at_once_migrate_once(postgres: Postgres) -> None:
    url = postgres.make("template1")
    code = (
        "import sys; from service.store.engine import Database;"
        "from service.store.migrate import upgrade;"
        "print('ready', flush=True); sys.stdin.readline(); tx = Database(sys.argv[1]).migrate();"
        "upgrade(tx.__enter__()); tx.__exit__(None, None, None)"
    )
    servers = [
        Popen([sys.executable, "-c", code, url], stdin=PIPE, stdout=PIPE, stderr=PIPE, text=True)
        for _ in range(3)
    ]
    for server in servers:
        assert server.stdout is not None
        assert server.stdout.readline() == "ready\n"
    for server in servers:
        assert server.stdin is not None
        server.stdin.write("go\n")
        server.stdin.flush()
    outputs = [server.communicate(timeout=60)[1] for server in servers]
    assert [server.returncode for server in servers] == [0, 0, 0], outputs


def differences(tx: Connection) -> list[tuple[object, ...]]:
    context = MigrationContext.configure(tx, opts={"compare_type": True})
    return compare_metadata(context, metadata)
