"""Which requests of pages count by a session: those of the server's own page alone."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from api_tests.support.logins import PAGE, TOKEN, log_in
from api_tests.support.problems import problem_of
from api_tests.support.server_context import Clock, server_context
from api_tests.support.specs import SPEC
from api_tests.support.threaded_server import ThreadedServer
from service.settings import Settings
from service.store.engine import Database


@pytest.fixture
def server(sqlite: Database, tmp_path: Path) -> Iterator[ThreadedServer]:
    settings = Settings(volume=tmp_path, token=TOKEN)
    server = ThreadedServer(server_context(sqlite, tmp_path, Clock(), settings))
    yield server
    server.stop()


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "http://127.0.0.1:1"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"},
    ],
)
def test_a_foreign_page_changes_and_reads_nothing_by_a_session_and_begins_none(
    server: ThreadedServer, headers: dict[str, str]
) -> None:
    problem_of(log_in(server, **headers), 403, "foreign_origin")
    log_in(server)
    job = server.http.post("/jobs", json=SPEC, headers=PAGE).json()
    for method, path in (
        ("POST", f"/jobs/{job['id']}/cancel"),
        ("DELETE", f"/jobs/{job['id']}"),
        ("DELETE", "/session"),
    ):
        for sent in (headers, headers | PAGE):
            answer = server.http.request(method, path, headers=sent)
            problem_of(answer, 403, "foreign_origin")
    if "Sec-Fetch-Mode" not in headers:
        problem_of(server.http.get("/jobs", headers=headers), 403, "foreign_origin")
    seen = server.http.get(f"/jobs/{job['id']}").json()
    assert seen["state"] == "queued"


def test_a_change_by_a_session_needs_the_header_that_no_form_can_send(
    server: ThreadedServer,
) -> None:
    log_in(server)
    for own in ({}, {"Origin": server.url}, {"Sec-Fetch-Site": "same-origin"}):
        problem = problem_of(
            server.http.post("/jobs", json=SPEC, headers=own), 403, "no_page_header"
        )
        assert "X-Requested-With" in problem["detail"]
        assert server.http.post("/jobs", json=SPEC, headers=own | PAGE).status_code == 201


def test_the_browser_is_believed_where_a_proxy_has_put_in_another_host(
    server: ThreadedServer,
) -> None:
    log_in(server)
    page = PAGE | {"Origin": "https://yard.example", "Sec-Fetch-Site": "same-origin"}
    assert server.http.post("/jobs", json=SPEC, headers=page).status_code == 201


def test_a_bearer_token_needs_no_header_and_no_origin(server: ThreadedServer) -> None:
    bearer = {"Authorization": f"Bearer {TOKEN}", "Origin": "https://tool.example"}
    assert server.http.post("/jobs", json=SPEC, headers=bearer).status_code == 201


def test_a_session_counts_though_a_proxy_asks_for_a_password_of_its_own(
    server: ThreadedServer,
) -> None:
    log_in(server)
    assert server.http.get("/jobs", headers={"Authorization": "Basic YTpi"}).status_code == 200
