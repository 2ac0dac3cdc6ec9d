"""The guide: built strictly, made from the code, and served without another server."""

import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from api_tests.support.openapi_document import document
from api_tests.support.server_context import Clock, server_context
from api_tests.support.threaded_server import ThreadedServer
from guide.build import build
from guide.reference import api, client, commands, parameters, settings
from service.api import guide
from service.client import Client
from service.contract.catalog import builtin_catalog
from service.contract.jobs import Reason
from service.settings import Settings
from service.store.engine import Database

ROOT = Path(__file__).parents[2]
_LOADED = re.compile(r'<(?:script|img|iframe)[^>]* src="([^"]+)"|<link[^>]* href="([^"]+)"')


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("guide") / "site"
    build(folder)
    return folder


@pytest.fixture
def server(sqlite: Database, tmp_path: Path) -> Iterator[ThreadedServer]:
    server = ThreadedServer(server_context(sqlite, tmp_path, Clock()))
    yield server
    server.stop()


def _served(server: ThreadedServer, path: str) -> httpx.Response:
    return server.http.get(path, follow_redirects=True)


def test_every_page_loads_files_of_the_guide_alone_and_runs_no_inline_script(site: Path) -> None:
    pages = list(site.rglob("*.html"))
    assert len(pages) > 40
    for page in pages:
        html = page.read_text()
        assert "<script>" not in html
        assert not re.search(r"<style|\sstyle=|\son\w+=\"", html), page
        for match in _LOADED.finditer(html):
            address = (match[1] or match[2]).partition("?")[0]
            if page.name != "404.html" and not address.startswith("data:"):
                assert (page.parent / address).resolve().exists(), (page, address)


def test_the_server_serves_it_with_a_policy_that_allows_no_inline_script(
    server: ThreadedServer, site: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(guide, "FOLDER", site)
    first = _served(server, "/guide")
    assert first.status_code == 200
    assert str(first.url).endswith("/guide/")
    assert first.headers["content-type"].startswith("text/html")
    policy = first.headers["content-security-policy"]
    assert "script-src 'self';" in policy
    assert "unsafe" not in policy
    assert "Ten minutes" in _served(server, "/guide/first-steps").text
    index = _served(server, "/guide/search/search_index.json")
    assert index.headers["content-type"] == "application/json"
    missing = server.http.get("/guide/nowhere/")
    assert (missing.status_code, missing.json()["code"]) == (404, "no_such_path")
    for outside in ("/guide/../settings.py", "/guide/%2e%2e/settings.py", "/guide//etc/passwd"):
        assert server.http.get(outside).status_code == 404


def test_a_server_without_the_guide_says_how_to_build_it(
    server: ThreadedServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(guide, "FOLDER", tmp_path / "none")
    answer = _served(server, "/guide")
    assert (answer.status_code, answer.json()["code"]) == (404, "no_guide")
    assert "make docs" in answer.json()["detail"]


def test_the_reference_has_every_setting_parameter_call_and_method() -> None:
    page = settings.page()
    for name in Settings.model_fields:
        assert f"`TRAINYARD_{name.upper()}`" in page
    page = parameters.page()
    for recipe in builtin_catalog().recipes:
        assert f"## {recipe.name}\n" in page
        for parameter in recipe.parameters["properties"]:
            assert f"| `{parameter}` |" in page
    page = api.page().replace("\\", "")
    for path, methods in document()["paths"].items():
        for method in methods:
            assert (f"## {method.upper()} {path}\n" in page) != path.startswith("/agent/")
    page = client.page().replace("\\", "")
    for name in vars(Client):
        assert name.startswith("_") or f"### {name}\n" in page


@pytest.mark.parametrize(
    "line",
    [
        "## trainyard submit",
        "## trainyard checkpoints download",
        "## trainyard workers list",
        "## trainyard webhooks create",
        "    trainyard jobs [OPTIONS]",
        "| `-p, --param",
    ],
)
def test_the_reference_has_the_commands_with_their_options(line: str) -> None:
    assert line in commands.page()


def test_old_names_of_commands_are_not_in_the_reference() -> None:
    assert "## trainyard wait" not in commands.page()


@pytest.mark.parametrize("reason", Reason)
def test_each_reason_of_an_end_is_explained(reason: Reason) -> None:
    assert f"`{reason}`" in (ROOT / "docs" / "how-to" / "failed-job.md").read_text()
