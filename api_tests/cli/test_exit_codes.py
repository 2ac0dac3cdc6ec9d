"""The exit statuses: each command ends with the one that tells what went wrong."""

import re
import socket
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from api_tests.support.commands import Run, runner
from service.cli import app
from service.cli.exit_codes import ExitCode

ROOT = Path(__file__).parents[2]
ONE_JOB = ("show", "watch", "logs", "cancel", "pause", "resume", "retry", "delete")
CHECKPOINT = (("checkpoints", "download"), ("checkpoints", "verify"), ("checkpoints", "export"))
NAMED = [
    *((command, "job_0009") for command in ONE_JOB),
    *((*command, "ckpt_0009") for command in CHECKPOINT),
    ("workers", "drain", "wrk_0009"),
]
CALLS = [
    *NAMED,
    ("jobs",),
    ("submit", "--recipe", "oneshot", "--dataset", "digits"),
    ("checkpoints", "list"),
    ("checkpoints", "latest"),
    ("checkpoints", "gc"),
    ("checkpoints", "import", "x.pth"),
    ("workers", "list"),
]


def _id(args: tuple[str, ...]) -> str:
    return " ".join(args)


@pytest.fixture
def run(fake: Any) -> Run:
    return runner(fake.url)


@pytest.fixture
def _no_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("service.client.calls.follow.PATIENCE_SECONDS", 0.1)
    monkeypatch.setattr("service.client.flow.retry_delay_seconds", lambda _: 0)


@pytest.mark.usefixtures("_no_patience")
@pytest.mark.parametrize("args", CALLS, ids=_id)
def test_without_a_server_each_command_ends_with_5(nobody: str, args: tuple[str, ...]) -> None:
    ended = CliRunner(env={"TRAINYARD_SERVER": nobody}).invoke(app, list(args))
    assert (ended.exit_code, ended.stdout) == (ExitCode.NO_SERVER, "")
    assert "Start one with `trainyard up`" in ended.stderr


@pytest.mark.parametrize("args", CALLS, ids=_id)
@pytest.mark.parametrize("status", [401, 403, 409, 422])
def test_what_the_server_refuses_ends_each_command_with_3(
    run: Run, fake: Any, problem: Any, args: tuple[str, ...], status: int
) -> None:
    fake.instead = [problem(status, "no", "it is not allowed") for _ in range(9)]
    ended = run(*args)
    assert (ended.exit_code, ended.stdout) == (ExitCode.REFUSED, "")
    assert ended.stderr.startswith("trainyard: it is not allowed\n")


@pytest.mark.parametrize("args", NAMED, ids=_id)
def test_an_id_that_there_is_not_ends_each_command_with_4(
    run: Run, fake: Any, problem: Any, args: tuple[str, ...]
) -> None:
    fake.instead = [problem(404, "not_found", "there is none") for _ in range(9)]
    assert run(*args).exit_code == ExitCode.NOT_FOUND


@pytest.mark.parametrize("args", CALLS, ids=_id)
def test_an_option_that_there_is_not_ends_each_command_with_2(
    run: Run, args: tuple[str, ...]
) -> None:
    assert run(*args, "--nonsense").exit_code == ExitCode.USAGE


@pytest.mark.parametrize("status", [500, 502, 503])
@pytest.mark.usefixtures("_no_patience")
def test_a_server_that_cannot_serve_is_none(run: Run, fake: Any, problem: Any, status: int) -> None:
    fake.instead = [problem(status, "starting", "a moment") for _ in range(9)]
    assert run("jobs").exit_code == ExitCode.NO_SERVER


@pytest.mark.parametrize("state", ["failed", "cancelled"])
def test_a_watched_job_that_does_not_succeed_ends_with_1(
    run: Run, fake: Any, a_job: Any, state: str
) -> None:
    fake.jobs = [a_job(1, state=state)]
    assert run("watch", "job_0001").exit_code == ExitCode.FAILED


def test_a_watched_job_that_takes_too_long_ends_with_6(run: Run, fake: Any, a_job: Any) -> None:
    fake.jobs = [a_job(1)]
    ended = run("watch", "job_0001", "--timeout", "0")
    assert ended.exit_code == ExitCode.TIMEOUT
    assert "has not ended within 0 s" in ended.stderr


def test_the_documentation_has_the_table_of_the_code() -> None:
    text = (ROOT / "docs" / "commands.md").read_text()
    rows = {int(row) for row in re.findall(r"^\| (\d+) \|", text, re.MULTILINE)}
    assert rows == {int(code) for code in ExitCode}


@pytest.mark.parametrize("command", ["up", "demo"])
def test_a_port_that_is_taken_is_a_setting_to_change(tmp_path: Path, command: str) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        args = [command, "--port", port, "--data-dir", str(tmp_path / "yard")]
        result = CliRunner().invoke(app, args)
    assert result.exit_code == ExitCode.USAGE, result.output
    assert f"127.0.0.1:{port}" in result.stderr
    assert "--port or TRAINYARD_PORT" in result.stderr
    assert not (tmp_path / "yard").exists()
