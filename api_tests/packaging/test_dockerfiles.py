"""The Dockerfiles keep the rules of hadolint and those of a cluster."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCKERFILES = sorted((ROOT / "docker").glob("*.Dockerfile"))
HADOLINT = Path(sys.executable).with_name("hadolint")


@pytest.fixture(params=DOCKERFILES, ids=lambda path: path.name)
def dockerfile(request: pytest.FixtureRequest) -> Path:
    path: Path = request.param
    return path


def test_hadolint_finds_nothing(dockerfile: Path) -> None:
    linted = subprocess.run([HADOLINT, dockerfile], capture_output=True, text=True)
    assert (linted.returncode, linted.stdout) == (0, "")


def test_the_user_is_a_number_since_a_cluster_cannot_know_that_a_name_is_not_root(
    dockerfile: Path,
) -> None:
    assert re.findall(r"^USER (.+)$", dockerfile.read_text(), re.MULTILINE) == ["10001:10001"]


def test_the_base_is_a_release_that_does_not_move(dockerfile: Path) -> None:
    text = dockerfile.read_text()
    [base] = re.findall(r"^ARG BASE=(\S+)$", text, re.MULTILINE)
    assert re.fullmatch(r"docker\.io/library/python:3\.\d+\.\d+-slim-\w+", base)
    assert {line.split()[1] for line in text.splitlines() if line.startswith("FROM ")} == {
        "${BASE}"
    }


def test_what_is_built_is_checked_by_a_command_without_a_shell(dockerfile: Path) -> None:
    stage = dockerfile.read_text().rpartition("FROM ")[2]
    [check] = re.findall(r"^HEALTHCHECK .*?CMD (\[.*?\])$", stage, re.MULTILINE | re.DOTALL)
    assert json.loads(check)[0] == "python3"
    assert "pip install" not in stage
