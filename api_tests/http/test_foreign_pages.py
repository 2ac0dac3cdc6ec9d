"""A server without a token answers the programs and pages of its machine, and no foreign page."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from api_tests.support.fake_agent import FakeAgent
from api_tests.support.problems import problem_of
from api_tests.support.server import Server


@pytest.fixture(scope="module")
def named(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that has a name besides localhost."""
    folder = tmp_path_factory.mktemp("named")
    server = Server(folder, allowed_hosts="server, Train.example.com")
    yield server
    server.stop()


@pytest.mark.parametrize(
    "host",
    ["evil.example.com", "evil.example.com:8000", "localhost.evil.com", "127.0.0.1.nip.io", "x@y"],
)
@pytest.mark.parametrize("path", ["/jobs", "/", "/healthz", "/dashboard/main.js", "/nothing"])
def test_a_name_that_is_not_the_servers_is_refused(
    http: httpx.Client, host: str, path: str
) -> None:
    answer = http.get(path, headers={"Host": host})
    problem = problem_of(answer, 403, "foreign_host")
    assert "TRAINYARD_ALLOWED_HOSTS" in problem["detail"]


@pytest.mark.parametrize(
    "host", ["localhost", "LOCALHOST:8000", "localhost.:1", "127.0.0.1:9", "[::1]:8000", "10.0.0.7"]
)
def test_localhost_and_addresses_are_the_servers_own(http: httpx.Client, host: str) -> None:
    assert http.get("/jobs", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize("host", ["server:8000", "train.example.com", "localhost"])
def test_a_name_in_the_settings_is_the_servers_own(named: Server, host: str) -> None:
    assert named.http.get("/jobs", headers={"Host": host}).status_code == 200
    problem_of(named.http.get("/jobs", headers={"Host": "example.com"}), 403, "foreign_host")


@pytest.mark.parametrize(
    "origin",
    ["https://evil.example.com", "null", "http://localhost:1", "file://", "https://[", "localhost"],
)
def test_a_page_of_another_origin_changes_nothing(
    http: httpx.Client, agent: FakeAgent, origin: str
) -> None:
    job = agent.submit()
    for method, path in (
        ("POST", f"/jobs/{job['id']}/cancel"),
        ("POST", f"/jobs/{job['id']}/pause"),
        ("DELETE", f"/jobs/{job['id']}"),
        ("GET", "/jobs"),
    ):
        answer = http.request(method, path, headers={"Origin": origin})
        problem_of(answer, 403, "foreign_origin")
    assert http.get(f"/jobs/{job['id']}").json()["state"] == "queued"


def test_the_servers_own_page_may_cancel(
    http: httpx.Client, server: Server, agent: FakeAgent
) -> None:
    cancel = f"/jobs/{agent.submit()['id']}/cancel"
    assert http.post(cancel, headers={"Origin": server.url}).status_code == 202


def test_a_page_behind_a_proxy_whose_name_is_in_the_settings_may_submit(named: Server) -> None:
    spec = {"kind": "train", "recipe": "oneshot", "data": {"dataset": "digits"}}
    spec |= {"params": {"batch_size": 32}}
    headers = {"Origin": "https://train.example.com"}
    assert named.http.post("/jobs", json=spec, headers=headers).status_code == 201
    refused = named.http.post("/jobs", json=spec, headers={"Origin": "https://example.com"})
    problem_of(refused, 403, "foreign_origin")


@pytest.mark.parametrize(
    "content_type",
    [None, "text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "json"],
)
@pytest.mark.parametrize("path", ["/jobs", "/jobs/x/cancel", "/jobs/x/pause", "/agent/claims"])
def test_a_body_that_does_not_say_it_is_json_is_refused(
    http: httpx.Client, path: str, content_type: str | None
) -> None:
    headers: dict[str, Any] = {"Content-Type": content_type} if content_type else {}
    answer = http.post(path, content=b"{}", headers=headers)
    assert "application/json" in problem_of(answer, 415, "not_json")["detail"]
    chunks = http.post(path, content=iter([b"{}"]), headers=headers)
    problem_of(chunks, 415, "not_json")


@pytest.mark.parametrize("content_type", ["application/json; charset=utf-8", "Application/JSON"])
def test_json_is_json_however_it_is_spelled(http: httpx.Client, content_type: str) -> None:
    answer = http.post("/jobs", content=b"{}", headers={"Content-Type": content_type})
    problem_of(answer, 422, "invalid")
