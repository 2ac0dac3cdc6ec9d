import signal
import socket
import sqlite3
import threading
import time
from pathlib import Path

import httpx
import psutil
import pytest

from api_tests.support.fake_agent import FakeAgent
from api_tests.support.processes import kernel_name
from api_tests.support.server import Server, refused_start, wait_for
from api_tests.support.specs import SPEC
from service.contract.process_title import process_title


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_server_at_once_though_a_long_poll_is_open(
    tmp_path: Path, number: signal.Signals
) -> None:
    server = Server(tmp_path)
    agent, answers = FakeAgent(server), []
    waiting = threading.Thread(target=lambda: answers.append(agent.ask(wait_seconds=25)))
    waiting.start()
    process = psutil.Process(server.process.pid)
    wait_for(lambda: len(established(process)) == 2, "the long poll")
    began = time.monotonic()
    assert server.stop(number) == 0
    assert time.monotonic() - began < 5
    waiting.join()
    assert answers[0].status_code == 204
    agent.http.close()


def test_a_server_that_ended_lets_another_have_its_file(tmp_path: Path) -> None:
    server = Server(tmp_path)
    job = server.http.post("/jobs", json=SPEC).json()
    server.stop()
    again = Server(tmp_path)
    assert again.http.get(f"/jobs/{job['id']}").json()["spec"] == job["spec"]
    again.stop()


def test_a_killed_server_loses_no_job_that_it_acknowledged(tmp_path: Path) -> None:
    server = Server(tmp_path)
    acknowledged: list[str] = []
    stop = threading.Event()

    def submit() -> None:
        with httpx.Client(base_url=server.url) as http:
            while not stop.is_set():
                try:
                    answer = http.post("/jobs", json=SPEC)
                except httpx.TransportError:
                    return
                assert answer.status_code == 201
                acknowledged.append(answer.json()["id"])

    threads = [threading.Thread(target=submit) for _ in range(8)]
    for thread in threads:
        thread.start()
    wait_for(lambda: len(acknowledged) >= 30, "thirty jobs")
    assert server.stop(signal.SIGKILL) == -signal.SIGKILL
    stop.set()
    for thread in threads:
        thread.join()
    server.start()
    for job_id in acknowledged:
        assert server.http.get(f"/jobs/{job_id}").status_code == 200
    server.stop()


def test_a_restarted_server_knows_the_lease_and_the_same_claim(tmp_path: Path) -> None:
    server = Server(tmp_path)
    agent = FakeAgent(server)
    agent.submit()
    claim = agent.ask("r").json()
    server.stop(signal.SIGKILL)
    server.start()
    agent.http.close()
    agent.http = httpx.Client(base_url=server.url)
    assert agent.ask("r").json() == claim
    assert not agent.beat(claim)["lease_lost"]
    agent.http.close()
    server.stop()


def test_a_port_that_is_taken_is_refused_with_what_to_do(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        status, output = refused_start(tmp_path, port=str(port))
    assert status == 2
    assert output.count("\n") == 1
    assert f"cannot listen on 127.0.0.1:{port}" in output
    assert "choose another --port" in output


def test_a_second_server_on_the_file_is_refused_with_what_to_do(tmp_path: Path) -> None:
    server = Server(tmp_path)
    status, output = refused_start(tmp_path)
    assert (status, output.count("\n")) == (2, 1)
    assert "another server has" in output
    assert "use PostgreSQL" in output
    server.stop()


def test_settings_that_cannot_be_are_refused_in_a_line(tmp_path: Path) -> None:
    status, output = refused_start(tmp_path, self_end_seconds="280")
    assert (status, output.count("\n")) == (2, 1)
    assert "else two workers could run one job" in output


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    (tmp_path / "trainyard.db").write_text("no database at all, though long enough to be one" * 40)
    status, output = refused_start(tmp_path)
    assert (status, output.count("\n")) == (2, 1)
    assert "not a database" in output


def test_a_database_of_a_newer_version_is_refused(tmp_path: Path) -> None:
    Server(tmp_path).stop()
    with sqlite3.connect(tmp_path / "trainyard.db") as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.close()
    status, output = refused_start(tmp_path)
    assert (status, output.count("\n")) == (2, 1)
    assert "another version of Trainyard" in output


def test_the_process_says_what_it_is(server: Server) -> None:
    assert psutil.Process(server.process.pid).cmdline()[0] == process_title("server")
    assert " " not in kernel_name(psutil.Process(server.process.pid))


def established(process: psutil.Process) -> list[object]:
    return [each for each in process.net_connections() if each.status == "ESTABLISHED"]
