"""A database whose disk is full says so, takes nothing half, and is back when there is space."""

import errno
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from api_tests.support.fake_agent import FakeAgent
from api_tests.support.problems import problem_of
from api_tests.support.server import Server, wait_for


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", folder], capture_output=True, text=True
    )
    if mounted.returncode != 0:
        pytest.skip(f"cannot mount a small disk: {mounted.stderr.strip()}")
    yield folder
    subprocess.run(["umount", "--lazy", folder], check=True)


def test_a_server_whose_database_is_full_is_not_ready_until_there_is_space(
    small_disk: Path, tmp_path: Path
) -> None:
    server = Server(
        tmp_path, database_url=f"sqlite:///{small_disk}/trainyard.db", heartbeat_seconds="0.5"
    )
    agent = FakeAgent(server)
    filler = small_disk / "filler"
    fill(filler)
    answers: list[httpx.Response] = []
    wait_for(lambda: refused(agent, answers), "a submission that does not fit")
    problem_of(answers[-1], 503, "database_full")
    wait_for(lambda: server.http.get("/readyz").status_code == 503, "the end of readiness")
    assert "full" in problem_of(server.http.get("/readyz"), 503, "not_ready")["detail"]
    listed = server.http.get("/jobs", params={"limit": 100}).json()["data"]
    assert len(listed) == sum(answer.status_code == 201 for answer in answers)
    filler.unlink()
    wait_for(lambda: server.http.get("/readyz").status_code == 200, "readiness")
    assert agent.submit()["state"] == "queued"
    agent.http.close()
    server.stop()


def fill(file: Path) -> None:
    """Write until nothing fits any more."""
    descriptor = os.open(file, os.O_CREAT | os.O_WRONLY)
    try:
        while True:
            os.write(descriptor, bytes(4096))
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
    finally:
        os.close(descriptor)


def refused(agent: FakeAgent, answers: list[httpx.Response]) -> bool:
    answers.append(agent.http.post("/jobs", json=agent.spec()))
    return answers[-1].status_code != 201
