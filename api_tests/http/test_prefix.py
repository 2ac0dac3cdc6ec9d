"""Behind a prefix, which the proxy may remove or not, every address leads back to the server."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from api_tests.support.problems import problem_of
from api_tests.support.server_context import Clock, server_context
from api_tests.support.specs import SPEC
from api_tests.support.threaded_server import ThreadedServer
from service.settings import Settings
from service.store.engine import Database


@pytest.fixture
def server(sqlite: Database, tmp_path: Path) -> Iterator[ThreadedServer]:
    settings = Settings(volume=tmp_path, root_path="/yard", token="s3cret")
    server = ThreadedServer(server_context(sqlite, tmp_path, Clock(), settings))
    server.http.headers["Authorization"] = "Bearer s3cret"
    yield server
    server.stop()


@pytest.mark.parametrize("sent", ["", "/yard"], ids=["removed", "kept"])
def test_locations_lead_to_what_they_name(server: ThreadedServer, sent: str) -> None:
    made = server.http.post(f"{sent}/jobs", json=SPEC)
    assert made.headers["location"] == f"/yard/jobs/{made.json()['id']}"
    assert server.http.get(made.headers["location"]).json()["id"] == made.json()["id"]
    redirected = server.http.get(f"{sent}/jobs/?limit=1")
    assert (redirected.status_code, redirected.headers["location"]) == (307, "/yard/jobs?limit=1")
    refused = server.http.delete(f"{sent}/jobs")
    assert problem_of(refused, 405, "method_not_allowed")
    assert refused.headers["allow"] == "GET, HEAD, POST"


@pytest.mark.parametrize("sent", ["", "/yard"], ids=["removed", "kept"])
def test_the_page_is_open_and_the_rest_is_not(server: ThreadedServer, sent: str) -> None:
    assert server.http.get(f"{sent}/openapi.json").json()["servers"] == [{"url": "/yard"}]
    del server.http.headers["Authorization"]
    for path in ("/", "/dashboard/main.js", "/healthz"):
        assert server.http.get(sent + path).status_code == 200, path
    for path in ("/jobs", "/yardjobs", "/yard/jobs"):
        assert server.http.get(path).status_code == 401, path


@pytest.mark.parametrize("prefix", ["yard", "/yard/", "/ya rd", "/yard?", "http://x/yard"])
def test_a_prefix_that_is_no_path_is_refused(prefix: str) -> None:
    with pytest.raises(ValueError, match="root_path"):
        Settings(root_path=prefix)
