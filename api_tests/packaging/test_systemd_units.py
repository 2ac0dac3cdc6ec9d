"""systemd takes the units, and they let a worker drain."""

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from workers.settings import WorkerSettings

FOLDER = Path(__file__).parents[2] / "deploy" / "systemd"
UNITS = {
    "trainyard-server.service": "trainyard-server.service",
    "trainyard-worker@.service": "trainyard-worker@1.service",
}
ANALYZE = shutil.which("systemd-analyze")
MOST_EXPOSURE = 25
"""In tenths: systemd calls up to 2.5 of 10 well protected, and a unit without options has 9.6."""


def lines_of(unit: str) -> Iterator[tuple[str, str]]:
    """The options of a unit of ours."""
    for line in (FOLDER / unit).read_text().splitlines():
        name, equals, value = line.partition("=")
        if equals and not line.startswith("#"):
            yield name, value


@pytest.fixture
def installed(tmp_path: Path) -> list[Path]:
    """The units, with programs that are there."""
    program = tmp_path / "program"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    for name, instance in UNITS.items():
        words = (FOLDER / name).read_text()
        for ours in ("/opt/trainyard/bin/trainyard", "/opt/trainyard/bin/python"):
            words = words.replace(ours, str(program))
        (tmp_path / instance).write_text(words)
    return [tmp_path / instance for instance in UNITS.values()]


def analyze(*arguments: str | Path) -> "subprocess.CompletedProcess[str]":
    assert ANALYZE is not None
    return subprocess.run([ANALYZE, *arguments], capture_output=True, text=True)


@pytest.mark.skipif(ANALYZE is None, reason="needs systemd-analyze (Debian: systemd)")
def test_systemd_finds_nothing_wrong(installed: list[Path]) -> None:
    verified = analyze("verify", "--man=no", *installed)
    assert (verified.returncode, verified.stderr) == (0, "")


@pytest.mark.skipif(ANALYZE is None, reason="needs systemd-analyze (Debian: systemd)")
def test_systemd_calls_them_well_protected(installed: list[Path]) -> None:
    for path in installed:
        judged = analyze(
            "security", "--offline=yes", "--no-pager", f"--threshold={MOST_EXPOSURE}", path
        )
        assert judged.returncode == 0, judged.stdout.splitlines()[-1:]


def test_a_worker_gets_the_signal_alone_and_has_time_to_save() -> None:
    options = dict(lines_of("trainyard-worker@.service"))
    assert options["KillMode"] == "mixed"
    assert int(options["TimeoutStopSec"]) == 90
    # A rank that is killed for want of memory must not end the agent, which reports it.
    assert options["OOMPolicy"] == "continue"


def test_a_worker_keeps_its_gpus() -> None:
    """Each of these lets systemd give out only the devices that it names."""
    names = {name for name, _ in lines_of("trainyard-worker@.service")}
    assert not names & {"PrivateDevices", "DeviceAllow", "DevicePolicy", "ProtectClock"}


def test_credentials_and_variables_are_settings() -> None:
    lines = list(lines_of("trainyard-worker@.service"))
    credentials = [value.split(":")[0] for name, value in lines if name == "LoadCredential"]
    assert credentials == ["trainyard_token"]
    pairs = " ".join(value for name, value in lines if name == "Environment").split()
    given = {pair.split("=")[0].removeprefix("TRAINYARD_").lower() for pair in pairs}
    assert given - {"home"} <= set(WorkerSettings.model_fields)
