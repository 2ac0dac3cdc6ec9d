"""The data folder of an installation, whatever its name."""

import shutil
from pathlib import Path

import pytest

from service.devserver.local_paths import BadDataFolder, LocalPaths
from service.store import migrate
from service.store.engine import Database

NAMES = [
    *("a%2Fb", "a?b", "a%b", "100%", "a#b", "a b", "a+b"),
    *("a@b:c", "%(here)s", "ümlaut", "$HOME", "~"),
]


@pytest.mark.parametrize("name", NAMES)
def test_the_database_is_in_the_data_folder_whatever_its_name(name: str, tmp_path: Path) -> None:
    paths = LocalPaths(tmp_path / name, "127.0.0.1", 8000, {})
    paths.make_folders()
    database = Database(paths.environment()["TRAINYARD_DATABASE_URL"])
    with database.migrate() as tx:
        migrate.upgrade(tx)
    database.close()
    assert (tmp_path / name / "trainyard.db").stat().st_size > 0
    assert [each.name for each in tmp_path.iterdir()] == [name]


@pytest.mark.parametrize("name", NAMES)
def test_the_schema_is_migrated_whatever_the_folder_of_the_installation_is_called(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / name
    shutil.copytree(migrate._MIGRATIONS, folder)
    monkeypatch.setattr(migrate, "_MIGRATIONS", folder)
    database = Database(f"sqlite:///{tmp_path}/trainyard.db")
    with database.migrate() as tx:
        migrate.upgrade(tx)
    with database.read() as tx:
        assert migrate.revision_of(tx)
    database.close()


def test_a_data_folder_whose_name_no_url_can_hold_is_refused(tmp_path: Path) -> None:
    paths = LocalPaths(tmp_path / "\udcff", "127.0.0.1", 8000, {})
    with pytest.raises(BadDataFolder, match="not UTF-8: choose another folder with --data-dir"):
        paths.environment()
