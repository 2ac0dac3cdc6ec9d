"""The doctor: each check finds its fault where the fault really is, and says how to mend it."""

import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from api_tests.support.doctor import Look, assert_problem
from api_tests.support.fake_agent import FakeAgent
from api_tests.support.server import Server
from service.cli.doctor.check import Status
from service.cli.doctor.command import CHECKS
from service.cli.exit_codes import ExitCode
from service.store import migrate
from service.store.engine import Database


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    server = Server(tmp_path_factory.mktemp("server"), token="the-right-token")
    yield server
    server.stop()


def test_no_server_is_found(look: Look) -> None:
    assert_problem(look("server"), "nothing answers at http://127.0.0.1:")


def test_another_program_at_the_address_is_found(look: Look, tmp_path: Path) -> None:
    command = [sys.executable, "-u", "-m", "http.server", "0", "--bind", "127.0.0.1"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, cwd=tmp_path
    ) as other:
        assert other.stdout is not None
        port = other.stdout.readline().split(b"port ")[1].split()[0].decode()
        assert_problem(look("server", f"http://127.0.0.1:{port}"), "not a Trainyard server")
        other.terminate()


@pytest.mark.parametrize(
    ("token", "text"),
    [
        ("a-wrong-token", "refuses the token"),
        (None, "needs a token, and there is none"),
    ],
)
def test_a_wrong_token_is_found(look: Look, server: Server, token: str | None, text: str) -> None:
    assert_problem(look("token", server.url, token), text)


def test_with_a_server_and_its_token_those_checks_are_ok(look: Look, server: Server) -> None:
    for name in ("server", "version", "token", "clock"):
        assert look(name, server.url, "the-right-token").status is Status.OK


class _Liar(BaseHTTPRequestHandler):
    """A server of another version, whose clock is three hours late."""

    def do_GET(self) -> None:
        body = json.dumps({"version": "0.0.1"}).encode()
        self.send_response_only(200)
        late = datetime.now(UTC) - timedelta(hours=3)
        self.send_header("Date", format_datetime(late, usegmt=True))
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@pytest.fixture
def liar() -> Iterator[str]:
    http = HTTPServer(("127.0.0.1", 0), _Liar)
    thread = threading.Thread(target=http.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{http.server_port}"
    http.shutdown()
    thread.join()
    http.server_close()


def test_a_clock_that_is_apart_is_found(look: Look, liar: str) -> None:
    assert_problem(look("clock", liar), "3 h 0 min behind")


def test_another_version_is_found(look: Look, liar: str) -> None:
    assert_problem(look("version", liar), "version 0.0.1", Status.WARNING)


def test_another_volume_than_the_servers_is_found(
    look: Look, server: Server, tmp_path: Path
) -> None:
    identity = (server.volume / "volume-id").read_text().strip()
    none = look("volume", server.url, "the-right-token")
    assert_problem(none, f"has no file volume-id, and the server's volume is {identity}")
    (tmp_path / "yard/volume/volume-id").write_text("vol_other\n")
    assert_problem(look("volume", server.url, "the-right-token"), "is volume vol_other")
    same = look("volume", server.url, "the-right-token", VOLUME=str(server.volume))
    assert (same.status, identity in same.detail) == (Status.OK, True)


def test_a_missing_volume_is_found(look: Look) -> None:
    assert_problem(look("volume", VOLUME="/no/where"), "/no/where is missing")


def test_a_missing_data_root_and_an_empty_one_are_found(look: Look, tmp_path: Path) -> None:
    assert_problem(look("data root", DATA_ROOT="/no/where"), "/no/where is missing")
    (tmp_path / "empty").mkdir()
    empty = look("data root", DATA_ROOT=str(tmp_path / "empty"))
    assert_problem(empty, "is empty", Status.WARNING)
    assert look("data root").status is Status.OK


@pytest.mark.parametrize(
    ("revision", "status", "text"),
    [
        ("0003", Status.PROBLEM, "the schema is at 0003, and this version needs"),
        ("9999", Status.PROBLEM, "which this version does not know"),
        ("head", Status.OK, "the newest of this version"),
    ],
)
def test_a_schema_of_another_version_is_found(
    look: Look, tmp_path: Path, revision: str, status: Status, text: str
) -> None:
    database = Database(f"sqlite:///{tmp_path}/yard/trainyard.db")
    with database.migrate() as tx:
        migrate.upgrade(tx, "head" if revision == "9999" else revision)
    if revision == "9999":
        with database.write() as tx:
            tx.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    # A server has it open all the time.
    finding = look("schema")
    database.close()
    assert (finding.status, text in finding.detail) == (status, True), finding


def test_a_file_that_is_no_database_is_found(look: Look, tmp_path: Path) -> None:
    (tmp_path / "yard/trainyard.db").write_text("not a database, and longer than its header" * 99)
    assert_problem(look("schema"), "cannot be read")


def test_sqlite_on_a_network_file_system_is_found(look: Look, tmp_path: Path) -> None:
    (tmp_path / "yard/trainyard.db").touch()
    assert look("database's disk").status is Status.OK
    (tmp_path / "mounts").write_text(
        f"/dev/sda1 / ext4 rw 0 0\nhost:/export {tmp_path}/yard nfs4 rw,vers=4.2 0 0\n"
    )
    assert_problem(look("database's disk"), "network file system (nfs4)")


def test_more_loader_processes_than_cores_are_found(look: Look, server: Server) -> None:
    agent = FakeAgent(server, token="the-right-token")
    agent.put(host=socket.gethostname()).raise_for_status()
    agent.submit(params={"batch_size": 32, "data_workers": 64})
    agent.claim()
    agent.submit(params={"batch_size": 32, "data_workers": 64})
    agent.http.close()
    found = look("cores", server.url, "the-right-token")
    cores = len(os.sched_getaffinity(0))
    if cores < 64:
        assert_problem(found, "have 64 loader processes", Status.WARNING)


def test_the_command_prints_every_check_and_its_cure(tmp_path: Path, nobody: str) -> None:
    args = ["doctor", "--data-dir", str(tmp_path / "none"), "--server", nobody]
    ran = subprocess.run(
        [sys.executable, "-m", "service.cli", *args], capture_output=True, text=True
    )
    assert ran.returncode == ExitCode.FAILED
    lines = ran.stdout.splitlines()
    assert lines[0].startswith("problem  server: nothing answers")
    assert lines[1].startswith("         start one with `trainyard up`")
    assert lines[-1].startswith("1 problem")
    for check in CHECKS:
        assert any(line[9:].startswith(f"{check.name}: ") for line in lines)
