"""The files of the page: loaded once by each browser, and never those of another version."""

import gzip
import re
from pathlib import Path

import httpx
import pytest

from api_tests.support.problems import problem_of
from api_tests.support.server import Server
from service.api.page_files import PageFiles


@pytest.fixture(scope="session")
def folder(server: Server) -> str:
    """Where the page's files are, as its document has it."""
    addresses = re.findall(r'(?:src|href)="(dashboard/[^"]+)"', server.http.get("/").text)
    assert len(addresses) >= 5
    (folder,) = {"/".join(address.split("/")[:2]) for address in addresses}
    return f"/{folder}"


@pytest.mark.parametrize(
    ("name", "media_type"),
    [
        ("main.js", "text/javascript"),
        ("styles/style.css", "text/css"),
        ("icon.svg", "image/svg+xml"),
    ],
)
def test_a_file_of_the_page_is_kept_for_ever(
    http: httpx.Client, folder: str, name: str, media_type: str
) -> None:
    answer = http.get(f"{folder}/{name}")
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert answer.headers["content-type"].startswith(media_type)
    unchanged = http.get(f"{folder}/{name}", headers={"If-None-Match": answer.headers["etag"]})
    assert unchanged.status_code == 304


def test_the_document_and_files_of_another_version_are_asked_about_each_time(
    http: httpx.Client, folder: str
) -> None:
    current = http.get(f"{folder}/main.js")
    for path in ("/", "/dashboard/main.js", "/dashboard/0123456789abcdef/main.js"):
        answer = http.get(path)
        assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-cache")
        etag = {"If-None-Match": answer.headers["etag"]}
        assert http.get(path, headers=etag).status_code == 304
    assert answer.content == current.content


@pytest.mark.parametrize(
    ("sent", "is_compressed"),
    [
        ("gzip", True),
        ("br, gzip;q=0.5", True),
        ("*;q=0, gzip", True),
        ("identity", False),
        ("gzip;q=0", False),
        ("*, gzip; q=0", False),
    ],
)
def test_a_library_is_sent_compressed_to_whom_takes_it(
    http: httpx.Client, folder: str, sent: str, is_compressed: bool
) -> None:
    with http.stream(
        "GET", f"{folder}/vendor/uplot.js", headers={"Accept-Encoding": sent}
    ) as answer:
        received = b"".join(answer.iter_raw())
    assert answer.headers["vary"] == "Accept-Encoding"
    assert (answer.headers.get("content-encoding") == "gzip") is is_compressed
    assert (len(received) < 30_000) is is_compressed
    assert b"uplot" in (gzip.decompress(received) if is_compressed else received)
    other = "identity" if is_compressed else "gzip"
    again = {"Accept-Encoding": other, "If-None-Match": answer.headers["etag"]}
    assert http.head(f"{folder}/vendor/uplot.js", headers=again).status_code == 200


@pytest.mark.parametrize(
    "path",
    [
        "nothing.js",
        "a/b/main.js",
        "0123456789abcdef/a/main.js",
        "vendor/vendor.mjs",
        "..%2fmain.py",
        "a/..%2f..%2fmain.py",
        "a/",
    ],
)
def test_what_is_no_file_of_the_page_is_not_there(http: httpx.Client, path: str) -> None:
    problem_of(http.get(f"/dashboard/{path}"), 404, "no_such_path")


def test_the_digest_follows_from_each_name_and_content(tmp_path: Path) -> None:
    digests = set()
    for name, content in (("a.js", "1"), ("a.js", "2"), ("b.js", "2")):
        (tmp_path / name).write_text(content)
        digests.add(PageFiles({name: tmp_path / name}).digest)
    assert len(digests) == 3
