"""A worker tells by a file that it lives, and a command reads it."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from api_tests.support.fake_control_plane import FakeControlPlane
from api_tests.support.polling import eventually
from api_tests.support.worker_process import StartWorker
from service.contract.kernel import boot_clock
from workers.agent.health_reporter import HealthReporter
from workers.health import LIMIT_SECONDS, main, problem_of


def test_a_worker_that_runs_is_alive_and_one_that_has_ended_is_not(
    start_worker: StartWorker, control_plane: FakeControlPlane, tmp_path: Path
) -> None:
    path = tmp_path / "health"
    worker = start_worker("--health-file", str(path))
    eventually(lambda: control_plane.registered)
    assert problem_of(path, boot_clock()) is None
    first = path.read_text()
    eventually(lambda: path.read_text() != first)
    worker.process.send_signal(signal.SIGTERM)
    assert worker.process.wait(60) == 0
    assert "no worker" in (problem_of(path, boot_clock()) or "")


def test_a_worker_whose_server_is_away_is_alive(
    start_worker: StartWorker, control_plane: FakeControlPlane, tmp_path: Path
) -> None:
    path = tmp_path / "health"
    control_plane.stop()
    worker = start_worker("--health-file", str(path))
    eventually(path.exists)
    first = path.read_text()
    eventually(lambda: path.read_text() != first)
    assert worker.process.poll() is None
    assert not control_plane.registered


def test_a_file_that_cannot_be_written_ends_the_worker_with_what_to_change(
    start_worker: StartWorker, tmp_path: Path
) -> None:
    worker = start_worker("--health-file", str(tmp_path / "missing" / "health"))
    assert worker.process.wait(60) == 2
    assert "name a file in a folder that the worker may write to" in worker.log()
    assert "Traceback" not in worker.log()


@pytest.mark.parametrize(
    ("turns", "is_renewed"), [((1, 1), False), ((1, 2), True), ((None, None), True)]
)
def test_the_file_is_renewed_unless_the_heartbeats_stand_still(
    turns: tuple[int | None, int | None], is_renewed: bool, tmp_path: Path
) -> None:
    path, counts, times = tmp_path / "health", iter(turns), iter((100.0, 200.0))
    reporter = HealthReporter(path, lambda: next(counts), lambda: next(times))
    reporter.report()
    reporter.report()
    assert (problem_of(path, 201.0) is None) == is_renewed


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (f"{1000 - LIMIT_SECONDS - 1}", "61 s old"),
        ("1001", "before the machine booted"),
        ("soon", "cannot be read"),
    ],
)
def test_the_command_says_why_a_worker_is_not_alive(
    text: str, words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "health"
    path.write_text(text)
    assert words in (problem_of(path, 1000.0) or "")
    path.write_text("0")
    assert main([str(path)]) == 1
    assert "start it" in capsys.readouterr().err


def test_the_command_loads_neither_torch_nor_the_agent(tmp_path: Path) -> None:
    path = tmp_path / "health"
    path.write_text(f"{boot_clock()}")
    code = (
        "import sys; from workers.health import main; status = main([]);"
        "assert not {'torch', 'httpx', 'structlog', 'pydantic'} & set(sys.modules);"
        "sys.exit(status)"
    )
    variables = {"TRAINYARD_HEALTH_FILE": str(path)}
    for given, status in ((variables, 0), ({"TRAINYARD_HEALTH_FILE": ""}, 2)):
        done = subprocess.run([sys.executable, "-c", code], env=os.environ | given, check=False)
        assert done.returncode == status
