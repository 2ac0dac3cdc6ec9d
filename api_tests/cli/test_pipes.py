"""The commands in pipes and in a real terminal: whole lines, whole ids, colours, Ctrl-C."""

import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
from collections.abc import Callable
from fcntl import ioctl
from typing import Any

import pytest

from service.cli.exit_codes import ExitCode

COMMAND = (sys.executable, "-m", "service.cli")
CONTROL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


def _in_terminal(
    args: tuple[str, ...],
    columns: int = 80,
    until: Callable[[str], bool] = lambda _: False,
    then: Callable[["subprocess.Popen[bytes]"], None] = lambda _: None,
    **variables: str,
) -> tuple[int, str]:
    """The exit status and the output of a command in a terminal; `then` is called once `until`."""
    controller, terminal_end = pty.openpty()
    ioctl(terminal_end, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    environ = {"PATH": os.environ["PATH"], "TERM": "xterm-256color"} | variables
    environ |= {"PYTHONPATH": os.environ.get("PYTHONPATH", "")}
    with subprocess.Popen(
        (*COMMAND, *args),
        stdin=terminal_end,
        stdout=terminal_end,
        stderr=terminal_end,
        env=environ,
        start_new_session=True,
        # A program that was started in the background ignores Ctrl-C, and so do its children.
        preexec_fn=_heed_ctrl_c,
    ) as process:
        os.close(terminal_end)
        try:
            shown = _read(controller, until, lambda: then(process))
            status = process.wait(30)
        finally:
            process.kill()
    os.close(controller)
    return status, shown


def _heed_ctrl_c() -> None:
    signal.signal(signal.SIGINT, signal.default_int_handler)


def _read(terminal: int, until: Callable[[str], bool], then: Callable[[], None]) -> str:
    """What a terminal shows until its program ends; it must show or end something in time."""
    shown, called = b"", False
    while True:
        assert select.select([terminal], [], [], 60)[0], f"nothing new after {shown!r}"
        try:
            part = os.read(terminal, 4096)
        except OSError:
            part = b""
        if not part:
            return shown.decode()
        shown += part
        if not called and until(shown.decode(errors="replace")):
            called = True
            then()


@pytest.mark.parametrize("columns", [20, 31, 40, 80, 200])
def test_no_id_is_broken_however_narrow_the_terminal_is(
    fake: Any, a_job: Any, columns: int
) -> None:
    ids = [f"job_{number:026d}" for number in (2, 1)]
    fake.jobs = [a_job(1, id=job_id, name="long name " * 9) for job_id in ids]
    status, shown = _in_terminal(("jobs", "--server", fake.url), columns)
    assert status == 0
    assert [job_id for job_id in ids if job_id in CONTROL.sub("", shown)] == ids


@pytest.mark.parametrize(
    ("variables", "has_colours"),
    [({}, True), ({"NO_COLOR": "1"}, False), ({"NO_COLOR": "1", "FORCE_COLOR": "1"}, False)],
)
def test_a_terminal_has_colours_unless_they_are_unwanted(
    fake: Any, a_job: Any, variables: dict[str, str], has_colours: bool
) -> None:
    fake.jobs = [a_job(1, state="failed")]
    _, shown = _in_terminal(("jobs", "--server", fake.url), **variables)
    assert ("\x1b[31m" in shown) is has_colours


@pytest.mark.parametrize(("variables", "has_colours"), [({}, False), ({"FORCE_COLOR": "1"}, True)])
def test_a_pipe_has_no_colours_unless_they_are_wanted(
    fake: Any, a_job: Any, variables: dict[str, str], has_colours: bool
) -> None:
    fake.jobs = [a_job(1, state="failed", name="long name " * 30)]
    listed = subprocess.run(
        (*COMMAND, "jobs", "--server", fake.url),
        capture_output=True,
        env=os.environ | variables,
        check=True,
    ).stdout.decode()
    assert ("\x1b[31m" in listed) is has_colours
    assert len(listed.splitlines()) == 2


@pytest.mark.parametrize(
    "args", [("jobs",), ("jobs", "--json"), ("logs", "job_0001"), ("show", "job_0001")]
)
def test_a_reader_that_ends_early_is_met_without_a_word(
    fake: Any, a_job: Any, args: tuple[str, ...]
) -> None:
    fake.jobs, fake.log = [a_job(1)], "a line\n" * 9
    reader, writer = os.pipe()
    os.close(reader)
    command = (*COMMAND, *args, "--server", fake.url)
    with subprocess.Popen(command, stdout=writer, stderr=subprocess.PIPE) as process:
        os.close(writer)
        assert process.stderr is not None
        said = process.stderr.read()
    assert (process.returncode, said) == (ExitCode.CLOSED_PIPE, b"")


@pytest.mark.parametrize("args", [("watch", "job_0001"), ("logs", "job_0001", "--follow")])
def test_ctrl_c_ends_without_a_traceback(fake: Any, a_job: Any, args: tuple[str, ...]) -> None:
    fake.jobs, fake.log = [a_job(1)], "step 120\n"
    status, shown = _in_terminal(
        (*args, "--server", fake.url),
        until=lambda shown: "120" in shown,
        then=lambda process: process.send_signal(signal.SIGINT),
    )
    assert status == ExitCode.INTERRUPTED
    assert "Traceback" not in shown
    assert "Aborted" not in shown


@pytest.mark.parametrize("columns", [80, 120])
def test_watch_draws_a_bar_with_loss_error_rate_and_time_left(
    fake: Any, a_job: Any, columns: int
) -> None:
    progress = {"step": 120, "total_steps": 300, "images_per_second": 311.2, "eta_seconds": 70}
    fake.jobs = [a_job(1, progress=progress)]

    def end(_: object) -> None:
        fake.jobs = [a_job(1, state="succeeded", progress=progress | {"step": 300})]

    status, shown = _in_terminal(
        ("watch", "job_0001", "--server", fake.url),
        columns,
        until=lambda shown: "120/300" in CONTROL.sub("", shown),
        then=end,
    )
    assert status == ExitCode.DONE
    drawn = " ".join(CONTROL.sub("", shown).split())
    for text in ("train", "120/300", "loss 0.5321", "error 12.34 %", "311 img/s"):
        assert text in drawn
    assert "ETA 1 min" in drawn
    assert "succeeded" in drawn
    assert "300/300" in drawn
