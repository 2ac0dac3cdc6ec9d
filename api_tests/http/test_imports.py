"""The files that can be imported, as the server lists them."""

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from api_tests.support.server import Server
from service.volume import import_folder
from service.volume.import_folder import import_files


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "imports"
    (root / "series" / "v2").mkdir(parents=True)
    return root


def add(root: Path, path: str, seconds: int) -> Path:
    file = root / path
    file.write_bytes(b"x" * seconds)
    os.utime(file, (seconds, seconds))
    return file


def paths(root: Path) -> list[str]:
    return [file.path for file in import_files(root).data]


def test_the_files_are_listed_with_sizes_and_times_the_newest_first(root: Path) -> None:
    add(root, "old.pth", 10)
    add(root, "series/v2/new.pth", 30)
    add(root, "series/mid name ü.pth", 20)
    listing = import_files(root)
    assert [(file.path, file.bytes, file.modified_at) for file in listing.data] == [
        ("series/v2/new.pth", 30, datetime.fromtimestamp(30, UTC)),
        ("series/mid name ü.pth", 20, datetime.fromtimestamp(20, UTC)),
        ("old.pth", 10, datetime.fromtimestamp(10, UTC)),
    ]
    assert (listing.has_more, listing.problem) == (False, None)


def test_a_link_is_listed_only_if_it_leads_to_a_file_below_the_root(
    root: Path, tmp_path: Path
) -> None:
    add(root, "series/a.pth", 10)
    (tmp_path / "secrets").mkdir()
    secret = add(tmp_path, "secrets/secret.pth", 20)
    (root / "inside.pth").symlink_to("series/a.pth")
    (root / "outside.pth").symlink_to(secret)
    (root / "up.pth").symlink_to("../secrets/secret.pth")
    (root / "folder").symlink_to(secret.parent)
    (root / "loop").symlink_to("loop")
    (root / "dangling.pth").symlink_to("nothing")
    (root / "series" / "round").symlink_to(root)
    assert sorted(paths(root)) == ["inside.pth", "series/a.pth"]


def test_what_is_no_file_that_a_request_can_name_is_left_out(root: Path) -> None:
    add(root, "a.pth", 10)
    add(root, ".hidden", 10)
    os.mkfifo(root / "pipe")
    (root / os.fsdecode(b"caf\xe9.pth")).write_bytes(b"x")
    assert paths(root) == ["a.pth"]


def test_a_time_beyond_the_calendar_is_none(root: Path) -> None:
    file = add(root, "a.pth", 10)
    os.utime(file, (2**40, 2**40))
    (listed,) = import_files(root).data
    assert listed.modified_at is None or listed.modified_at.year > 2100


def test_a_folder_that_cannot_be_read_is_left_out_and_a_root_is_told_of(root: Path) -> None:
    add(root, "a.pth", 10)
    assert paths(root) == ["a.pth"]
    listing = import_files(root / "none")
    assert listing.data == ()
    assert listing.problem == "the import folder cannot be read: No such file or directory"


def test_a_folder_of_very_many_files_is_cut(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(1, 8):
        add(root, f"{number}.pth", number)
    monkeypatch.setattr(import_folder, "MOST_IMPORT_FILES", 3)
    listing = import_files(root)
    assert [file.path for file in listing.data] == ["7.pth", "6.pth", "5.pth"]
    assert listing.has_more
    monkeypatch.setattr(import_folder, "MOST_ENTRIES", 5)
    listing = import_files(root)
    assert (len(listing.data), listing.has_more) == (3, True)
    monkeypatch.setattr(import_folder, "MOST_ENTRIES", 9)
    monkeypatch.setattr(import_folder, "MOST_IMPORT_FILES", 7)
    assert not import_files(root).has_more


def test_the_route_lists_the_servers_own_folder_and_is_304_until_it_changes(
    tmp_path: Path,
) -> None:
    server = Server(tmp_path, import_root=str(tmp_path / "imports"))
    try:
        assert server.http.get("/imports").json()["data"] == []
        add(tmp_path / "imports", "a.pth", 10)
        answer = server.http.get("/imports")
        assert [file["path"] for file in answer.json()["data"]] == ["a.pth"]
        same = server.http.get("/imports", headers={"If-None-Match": answer.headers["etag"]})
        assert same.status_code == 304
    finally:
        server.stop()
