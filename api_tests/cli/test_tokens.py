"""`trainyard token`: on the server's machine, and by REST."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from api_tests.support.access import bearer
from api_tests.support.server_context import Clock, server_context
from api_tests.support.threaded_server import ThreadedServer
from service.cli import app
from service.devserver.local_paths import LocalPaths
from service.settings import Settings
from service.store.engine import Database


def _run(*arguments: str, **environment: str) -> Result:
    variables = {"TRAINYARD_DATABASE_URL": None, "TRAINYARD_TOKEN": None, **environment}
    return CliRunner(env=variables).invoke(app, ["token", *arguments])


def test_the_first_admins_token_is_made_in_the_data_folder_before_any_server_runs(
    tmp_path: Path,
) -> None:
    made = _run("create", "--admin", "--data-dir", str(tmp_path), "--expires", "8w")
    assert made.exit_code == 0, made.output
    secret = made.stdout.strip()
    assert secret.startswith("ty_")
    assert len(secret) == 46
    assert "a token of admin with the role admin, until 20" in made.stderr
    database = Database(f"sqlite:///{tmp_path}/trainyard.db")
    settings = Settings(volume=tmp_path)
    server = ThreadedServer(server_context(database, tmp_path, Clock(), settings))
    try:
        assert server.http.get("/jobs").status_code == 401
        assert server.http.get("/jobs", headers=bearer(secret)).status_code == 200
        again = _run("create", "ann", "--admin", "--data-dir", str(tmp_path))
        assert again.exit_code == 1
        assert "trainyard token create NAME --role admin" in again.stderr
    finally:
        server.stop()
        database.close()
    taken = _run("create", "--admin", "--data-dir", str(tmp_path))
    assert (taken.exit_code, "is named admin" in taken.stderr) == (1, True)


@pytest.fixture
def server(sqlite: Database, tmp_path: Path) -> Iterator[ThreadedServer]:
    server = ThreadedServer(server_context(sqlite, tmp_path, Clock(), Settings(volume=tmp_path)))
    yield server
    server.stop()


def test_tokens_are_made_listed_and_revoked_by_rest(server: ThreadedServer) -> None:
    at = {"TRAINYARD_SERVER": server.url}
    admin = _run("create", "ann", "--role", "admin", **at)
    assert admin.exit_code == 0, admin.output
    at |= {"TRAINYARD_TOKEN": admin.stdout.strip()}
    worker = _run("create", "gpu-7", "--role", "worker", "--json", **at)
    assert worker.exit_code == 0, worker.output
    assert '"role": "worker"' in worker.stdout
    listed = _run("list", **at).stdout
    assert "ann" in listed
    assert "gpu-7" in listed
    assert "ty_" not in listed
    revoked = _run("revoke", "gpu-7", **at)
    assert revoked.stdout.startswith("revoked tok_")
    assert "gpu-7" not in _run("list", **at).stdout
    assert "gpu-7" in _run("list", "--ended", **at).stdout
    gone = _run("revoke", "gpu-7", **at)
    assert (gone.exit_code, "see `token list`" in gone.stderr) == (4, True)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["create", "ann"], "give a NAME and a --role"),
        (["create", "--role", "user"], "give a NAME and a --role"),
        (["create", "ann", "--role", "user", "--admin"], "leave out --role user"),
        (["create", "ann", "--role", "user", "--expires", "soon"], "no time such as 12h"),
        (["create", "a b", "--admin"], "name"),
    ],
)
def test_what_is_no_token_is_refused_by_what_to_change(
    arguments: list[str], message: str, tmp_path: Path
) -> None:
    result = _run(*arguments, TRAINYARD_DATABASE_URL=f"sqlite:///{tmp_path}/t.db")
    assert result.exit_code == 2
    assert message in result.stderr


def test_workers_of_an_installation_have_a_token_of_their_own(tmp_path: Path) -> None:
    paths = LocalPaths(tmp_path, "127.0.0.1", 8000, {"TRAINYARD_TOKEN": "of-the-admin"})
    secret = paths.worker(1).env["TRAINYARD_TOKEN"]
    assert secret == paths.server().env["TRAINYARD_WORKER_TOKEN"]
    assert secret != "of-the-admin"
    assert secret not in repr(paths)
