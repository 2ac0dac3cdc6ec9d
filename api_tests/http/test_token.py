from collections.abc import Iterator

import pytest

from api_tests.support.fake_agent import FakeAgent
from api_tests.support.problems import problem_of
from api_tests.support.server import Server

WRITES = [
    ("POST", "/jobs"),
    ("POST", "/jobs/job_none/cancel"),
    ("POST", "/jobs/job_none/pause"),
    ("POST", "/jobs/job_none/resume"),
    ("POST", "/jobs/job_none/retry"),
    ("PATCH", "/jobs/job_none"),
    ("DELETE", "/jobs/job_none"),
    ("POST", "/workers/wrk_1/drain"),
    ("POST", "/workers/wrk_1/resume"),
    ("PUT", "/agent/workers/wrk_1"),
    ("POST", "/agent/workers/wrk_1/gone"),
    ("POST", "/agent/claims"),
    ("POST", "/agent/heartbeats"),
    ("POST", "/agent/reports"),
    ("POST", "/checkpoints/import"),
    ("POST", "/checkpoints/ckpt_none/export"),
]
READS = [
    "/jobs",
    "/checkpoints",
    "/workers",
    "/recipes",
    "/datasets",
    "/healthz",
    "/readyz",
    "/version",
    "/",
    "/openapi.json",
]
TOKEN = "s3cret-clé"


@pytest.fixture(scope="module")
def locked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    server = Server(tmp_path_factory.mktemp("locked"), token=TOKEN)
    yield server
    server.stop()


@pytest.mark.parametrize("sent", [None, "Bearer wrong", "Bearer", f"Basic {TOKEN}", TOKEN])
@pytest.mark.parametrize(("verb", "path"), WRITES)
def test_nobody_changes_anything_without_the_token(
    locked: Server, verb: str, path: str, sent: str | None
) -> None:
    headers = {} if sent is None else {"Authorization": sent.encode()}
    answer = locked.http.request(verb, path, headers=headers, json={})
    problem_of(answer, 401, "unauthorized")
    assert answer.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize("path", READS)
def test_everybody_may_read(locked: Server, path: str) -> None:
    assert locked.http.get(path).status_code == 200


def test_with_the_token_a_job_runs(tmp_path_factory: pytest.TempPathFactory) -> None:
    server = Server(tmp_path_factory.mktemp("locked"), token="s3cret")
    agent = FakeAgent(server, token="s3cret")
    agent.submit()
    assert agent.report(agent.claim()).status_code == 200
    agent.http.close()
    server.stop()


def test_the_token_is_told_to_nobody(locked: Server) -> None:
    for path in READS:
        assert TOKEN not in locked.http.get(path).text
    assert TOKEN not in (locked.folder / "server.log").read_text()
