"""A PostgreSQL that crashes and comes back: nothing is lost, and nobody has to help."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from api_tests.support.event_stream import stream
from api_tests.support.fake_agent import FakeAgent
from api_tests.support.postgres import Postgres
from api_tests.support.problems import problem_of
from api_tests.support.server import Server, two_servers, wait_for


@pytest.fixture
def own_postgres() -> Iterator[Postgres]:
    """One that no other test uses."""
    folder = Path(tempfile.mkdtemp(prefix="pg-"))
    postgres = Postgres(folder)
    yield postgres
    postgres.stop()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def servers(own_postgres: Postgres, tmp_path: Path) -> Iterator[list[Server]]:
    with two_servers(tmp_path, own_postgres.make()) as servers:
        yield servers


def test_a_database_that_crashed_and_came_back_has_lost_nothing_and_the_servers_are_back(
    own_postgres: Postgres, servers: list[Server]
) -> None:
    agent = FakeAgent(servers[0])
    running, queued = agent.submit(), agent.submit()
    claim = agent.claim()
    with stream(agent.http, f"/jobs/{running['id']}/stream") as frames:
        assert [next(frames).kind for _ in range(2)] == ["submitted", "claimed"]
        own_postgres.crash()
        for server in servers:
            answer = server.http.get(f"/jobs/{running['id']}")
            problem_of(answer, 503, "database_away")
            assert answer.headers["retry-after"] == "2"
            assert server.http.get("/readyz").status_code == 503
            assert server.http.get("/healthz").status_code == 200
        problem_of(agent.http.post("/jobs", json=agent.spec()), 503, "database_away")
        own_postgres.come_back()
        for server in servers:
            wait_for(lambda s=server: is_ready(s), "the server to be back")
        assert not agent.beat(claim)["lease_lost"]
        assert agent.report(claim).status_code == 200
        assert [frame.kind for frame in frames if frame.kind != "comment"] == ["succeeded", "end"]
    assert servers[1].http.get(f"/jobs/{running['id']}").json()["state"] == "succeeded"
    assert agent.claim()["job_id"] == queued["id"]
    agent.http.close()


def test_the_servers_hear_each_other_again_after_a_crash_of_the_database(
    own_postgres: Postgres, servers: list[Server]
) -> None:
    own_postgres.crash()
    own_postgres.come_back()
    for server in servers:
        wait_for(lambda s=server: is_ready(s), "the server to be back")
    agent = FakeAgent(servers[0])
    job = servers[1].http.post("/jobs", json=agent.spec()).json()
    assert agent.ask(wait_seconds=20).json()["job_id"] == job["id"]
    agent.http.close()


def is_ready(server: Server) -> bool:
    try:
        return server.http.get("/readyz").status_code == 200
    except httpx.TransportError:
        return False
