"""Nothing below a root is opened through a link, and nothing but regular files."""

import os
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from service.volume.opener import UnsafePath, open_below, open_folder

FILE = "jobs/job_1/log.txt"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A root that is itself a link, as to a mount."""
    volume = tmp_path / "mounted"
    (volume / "jobs" / "job_1").mkdir(parents=True)
    (volume / FILE).write_text("step 1")
    (tmp_path / "volume").symlink_to(volume)
    return tmp_path / "volume"


def _link(path: Path) -> None:
    moved = path.with_name("moved")
    path.rename(moved)
    path.symlink_to(moved)


def _pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def _socket(path: Path) -> None:
    path.unlink()
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(path))


def _folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def test_a_regular_file_below_a_root_is_opened(root: Path) -> None:
    with open_below(root, FILE) as file:
        assert file.read() == b"step 1"


@pytest.mark.parametrize("name", ["jobs", "jobs/job_1", FILE])
def test_a_link_anywhere_in_a_path_is_not_followed(root: Path, name: str) -> None:
    _link(root / name)
    with pytest.raises(UnsafePath, match="symbolic link"):
        open_below(root, FILE)


@pytest.mark.parametrize("change", [_pipe, _socket, _folder])
def test_what_is_no_regular_file_is_not_waited_for(
    root: Path, change: Callable[[Path], None]
) -> None:
    change(root / FILE)
    with pytest.raises(UnsafePath, match="not a regular file"):
        open_below(root, FILE)


@pytest.mark.parametrize("path", ["../secret", "jobs/../../secret", "/etc/passwd", "..", ""])
def test_a_path_that_leads_out_of_its_root_is_refused(root: Path, path: str) -> None:
    (root.resolve().parent / "secret").write_text("secret")
    with pytest.raises(OSError, match=r"root|No such file"):
        open_below(root, path)


def test_no_descriptor_is_left_open(root: Path) -> None:
    def count() -> int:
        return len(os.listdir("/proc/self/fd"))

    before = count()
    with open_folder(root, "jobs/job_1"):
        pass
    for path in (FILE, "none/log.txt", "jobs/none", "jobs"):
        try:
            open_below(root, path).close()
        except OSError:
            continue
    assert count() == before
