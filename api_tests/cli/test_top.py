"""`trainyard top`: what it draws, in a terminal of 80 by 24, and how it ends."""

import io
import os
import pty
import select
import signal
import struct
import subprocess
import sys
import termios
from collections.abc import Callable
from datetime import UTC, datetime
from fcntl import ioctl
from typing import Any

import pytest
from rich.console import Console
from typer.testing import Result

from api_tests.support.fake_agent import FakeAgent
from api_tests.support.server import Server
from service.cli.exit_codes import ExitCode
from service.cli.top_screen import Scene, screen_of
from service.contract.workers import Worker

NOW = datetime(2026, 1, 1, 12, 30, tzinfo=UTC)


def _lines(scene: Scene, lines: int = 24, columns: int = 80) -> list[str]:
    console = Console(file=io.StringIO(), width=columns, height=lines)
    console.print(screen_of(scene, lines))
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue().splitlines()


def _worker(number: int) -> Worker:
    sample = {"cpu_use": 0.5, "gpus": [{"index": 0, "use": 0.93}, {"index": 1, "use": 0.91}]}
    fields = {"id": f"wrk_{number}", "host": f"gpu-{number}", "state": "active", "slots": 2}
    times = {"registered_at": NOW, "last_seen_at": NOW}
    return Worker.model_validate({**fields, **times, "jobs": ["job_1"], "sample": sample})


def test_the_screen_has_the_jobs_the_workers_and_why_others_wait(a_job: Any) -> None:
    running = a_job(1, name="first", progress={"step": 1, "total_steps": 9, "eta_seconds": 70})
    waits = a_job(2, state="queued", name="next", wait_reason="no worker has 2 free GPUs")
    shown = "\n".join(_lines(Scene("http://x", [running], [waits], [_worker(1)], NOW)))
    assert "1 running, 1 queued, 1 worker  12:30:00Z" in shown
    for text in ("first", "1/9", "0.5321", "12.34 %", "1 min 10 s", "gpu-1", "92 %", "2 free GPUs"):
        assert text in shown


@pytest.mark.parametrize(("lines", "columns"), [(24, 80), (12, 60), (50, 200)])
def test_very_many_rows_and_long_names_fit_into_the_terminal(
    a_job: Any, lines: int, columns: int
) -> None:
    jobs = [a_job(number, name="a long name " * 20) for number in range(200)]
    waiting = [a_job(number, state="queued", wait_reason="x " * 200) for number in range(200)]
    workers = [_worker(number) for number in range(60)]
    drawn = _lines(Scene("http://x", jobs, waiting, workers, NOW), lines, columns)
    assert len(drawn) <= lines
    assert max(map(len, drawn)) <= columns
    assert sum("more" in line for line in drawn) == 3


def test_a_server_that_goes_away_leaves_what_was_there_and_says_so(a_job: Any) -> None:
    shown = _lines(Scene("http://x", [a_job(1, name="\x1b[31mred")], [], [], NOW, "no server"))
    assert shown[0].startswith("as of 12:30:00Z: no server")
    assert "\\x1b[31mred" in "\n".join(shown)


@pytest.mark.parametrize(
    ("end", "status"),
    [
        (lambda terminal, _: os.write(terminal, b"q"), ExitCode.DONE),
        (lambda _, process: process.send_signal(signal.SIGINT), ExitCode.INTERRUPTED),
    ],
    ids=["q", "Ctrl-C"],
)
def test_it_draws_what_happens_until_it_is_told_to_end(
    server: Server, agent: FakeAgent, end: Callable[[int, Any], object], status: ExitCode
) -> None:
    controller, terminal_end = pty.openpty()
    ioctl(terminal_end, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    command = (sys.executable, "-m", "service.cli", "top", "--server", server.url)
    with subprocess.Popen(
        (*command, "--every", "0.5"),
        stdin=terminal_end,
        stdout=terminal_end,
        stderr=terminal_end,
        env=os.environ | {"TERM": "xterm-256color"},
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler) and None,
    ) as process:
        os.close(terminal_end)
        _read_until(controller, b"q quits")
        agent.submit(name=f"later-{status}")
        _read_until(controller, f"later-{status}".encode())
        end(controller, process)
        rest = _read_until(controller, None)
        assert process.wait(30) == status
    os.close(controller)
    assert b"Traceback" not in rest
    # The screen of before is back.
    assert b"\x1b[?1049l" in rest


def test_without_a_terminal_it_says_what_to_use_instead(run: Callable[..., Result]) -> None:
    result = run("top")
    assert (result.exit_code, "`trainyard jobs`" in result.stderr) == (2, True)


def _read_until(terminal: int, text: bytes | None) -> bytes:
    shown = b""
    while text is None or text not in shown:
        assert select.select([terminal], [], [], 30)[0], f"nothing new after {shown!r}"
        try:
            part = os.read(terminal, 4096)
        except OSError:
            part = b""
        if not part:
            assert text is None, shown
            break
        shown += part
    return shown
