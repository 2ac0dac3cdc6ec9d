"""Tests that share what is costly, or may not run beside each other, run in one process."""

import os
import subprocess
import sys
from pathlib import Path

CONFTEST = """
import os, time
import pytest
from api_tests.support.xdist_groups import pytest_collection_modifyitems
from api_tests.support.xdist_groups import pytest_xdist_make_scheduler

@pytest.fixture(autouse=True)
def told(request):
    time.sleep(0.02)
    with open("ran", "a") as ran:
        ran.write(f"{os.environ['PYTEST_XDIST_WORKER']} {request.node.path.stem}\\n")
"""
UNMARKED = """
import pytest

@pytest.mark.parametrize("number", range(8))
def test_it(number):
    pass
"""
MARKED = UNMARKED + "\npytestmark = pytest.mark.xdist_group('shared')\n"
SLOW = UNMARKED + "\npytestmark = pytest.mark.slow\n"
PLAIN_FILES = ("test_a", "test_b", "test_c")


def _processes_and_files(folder: Path) -> list[tuple[str, str]]:
    (folder / "conftest.py").write_text(CONFTEST)
    (folder / "pytest.ini").write_text("[pytest]\nmarkers =\n    slow\n")
    for name in PLAIN_FILES:
        (folder / f"{name}.py").write_text(UNMARKED)
    for name in ("test_x", "test_y"):
        (folder / f"{name}.py").write_text(MARKED)
    (folder / "test_z.py").write_text(SLOW)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:schemathesis", "-p"]
    command += ["no:cacheprovider", "-n", "2", "--dist", "loadgroup", "--no-loadscope-reorder"]
    path = os.pathsep.join(filter(None, [os.getcwd(), os.environ.get("PYTHONPATH")]))
    environment = {**os.environ, "PYTHONPATH": path, "PYTEST_ADDOPTS": ""}
    subprocess.run(command, cwd=folder, env=environment, check=True, capture_output=True)
    rows = [line.split() for line in (folder / "ran").read_text().splitlines()]
    return [(process, file) for process, file in rows]


def test_a_file_and_a_marked_group_are_run_by_one_process_the_slow_ones_first(
    tmp_path: Path,
) -> None:
    rows = _processes_and_files(tmp_path)

    assert len(rows) == 6 * 8
    for name in PLAIN_FILES:
        assert len({process for process, file in rows if file == name}) == 1
    assert len({process for process, file in rows if file in ("test_x", "test_y")}) == 1
    first_of_each = [next(file for by, file in rows if by == process) for process in ("gw0", "gw1")]
    assert set(first_of_each) == {"test_z", "test_x"}
