"""A server with a token answers nobody else, but for probes and files that every server has."""

from collections.abc import Iterator

import httpx
import pytest
from fastapi import FastAPI

from api_tests.support.fake_agent import FakeAgent
from api_tests.support.problems import problem_of
from api_tests.support.routes import operations
from api_tests.support.server import Server

OPEN = {
    "/",
    "/dashboard/{path:path}",
    "/guide",
    "/guide/{path:path}",
    "/healthz",
    "/readyz",
    "/session",
}
GUIDE = {"/guide": 307, "/guide/{path:path}": 404}
"""The way to its first page, and a file that it has not: nothing of the server's data."""
LOGIN = {("POST", "/session"): 422, ("DELETE", "/session"): 204}
"""What a stranger may change: a login without a token is refused, a logout has nothing to end."""
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PURGE")
TOKEN = "s3cret"


@pytest.fixture(scope="module")
def locked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    server = Server(tmp_path_factory.mktemp("locked"), token=TOKEN)
    yield server
    server.stop()


def test_no_method_of_any_route_is_answered_without_the_token(locked: Server, app: FastAPI) -> None:
    paths = {each.template: each.path for each in operations(app)}
    assert len(paths) > 40
    assert paths.keys() >= OPEN
    for template, path in (paths | {"/nothing": "/nothing"}).items():
        for method in METHODS:
            answer = locked.http.request(method, path)
            if template not in OPEN:
                assert answer.status_code == 401, (method, path)
                assert answer.headers["www-authenticate"] == "Bearer"
            elif method in ("GET", "HEAD"):
                assert answer.status_code == GUIDE.get(template, 200), (method, path)
            elif (method, path) in LOGIN:
                assert answer.status_code == LOGIN[method, path]
            else:
                assert answer.status_code == 405, (method, path)


@pytest.mark.parametrize(
    "sent", ["Bearer wrong", "Bearer", f"Basic {TOKEN}", TOKEN, f"Bearer {TOKEN}é", "Bearer \xff"]
)
def test_another_token_is_refused_before_the_body_is_read(locked: Server, sent: str) -> None:
    headers = {"Authorization": sent.encode("latin-1"), "Content-Type": "application/json"}
    for method, path in (("GET", "/jobs"), ("POST", "/jobs"), ("POST", "/agent/claims")):
        answer = locked.http.request(method, path, headers=headers, content=b"{")
        problem_of(answer, 401, "unauthorized")


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
def test_with_the_token_every_route_is_answered(locked: Server, scheme: str) -> None:
    with httpx.Client(
        base_url=locked.url, headers={"Authorization": f"{scheme} {TOKEN}"}
    ) as client:
        for path in ("/jobs", "/metrics", "/version", "/"):
            assert client.get(path).status_code == 200


def test_with_the_token_a_job_runs(locked: Server) -> None:
    agent = FakeAgent(locked, token=TOKEN)
    agent.submit()
    assert agent.report(agent.claim()).status_code == 200
    agent.http.close()


def test_the_token_is_told_to_nobody(locked: Server) -> None:
    wrong = f"{TOKEN}-of-another-server"
    for path in ("/jobs", "/", "/readyz", "/session"):
        assert TOKEN not in locked.http.get(path).text
        locked.http.get(path, headers={"Authorization": f"Bearer {wrong}"})
    for token, status in ((wrong, 401), (TOKEN, 201)):
        answer = locked.http.post("/session", json={"token": token})
        assert answer.status_code == status
        assert TOKEN not in answer.text + str(answer.headers)
    log = (locked.folder / "server.log").read_text()
    assert '"logged_in"' in log
    assert '"login_refused"' in log
    assert TOKEN not in log
