"""The process of the workers' code that checks or packs images for a command."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from types import FrameType
from typing import Any

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from service.cli import terminal
from service.cli.exit_codes import Failed
from service.cli.extras import require_extras
from service.contract.kernel import die_with_parent

_ENDS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def run_data_process(
    command: str, done: str, arguments: list[str], *paths: Path, interrupted: str
) -> dict[str, Any]:
    """The result of a command of `workers.data`, whose progress is shown on stderr.

    A signal that ends the command ends the process first, in its own way; then `interrupted` is
    printed, and typer.Exit raised with 128 + the signal. Raises Failed.
    """
    require_extras(command, "workers")
    result: dict[str, Any] | None = None
    with _forwarded_signals() as forwarder:
        process = subprocess.Popen(
            # A path may begin as an option does.
            [sys.executable, "-m", "workers.data", *arguments, "--", *map(str, paths)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            # Ctrl-C in a terminal reaches it by way of this process, and once.
            process_group=0,
            preexec_fn=partial(die_with_parent, os.getpid(), signal.SIGTERM),
        )
        forwarder.forward_to(process)
        with process, _bar() as bar:
            task = bar.add_task(done, total=None)
            for message in _messages(process):
                if "error" in message:
                    raise Failed(message["error"])
                if "progress" in message:
                    count, total = message["progress"]
                    bar.update(task, completed=count, total=total)
                result = message.get("result", result)
    if result is None and forwarder.received:
        terminal.echo_error(f"trainyard: {interrupted}")
        raise typer.Exit(128 + forwarder.received[0])
    if result is None:
        raise Failed(f"the process ended with exit status {process.returncode}")
    return result


class _Forwarder:
    """Sends a process SIGTERM for each signal that would end this one.

    While it imports its code SIGINT would print a traceback.
    """

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self.received: list[int] = []

    def forward_to(self, process: "subprocess.Popen[bytes]") -> None:
        self._process = process
        if self.received:
            # It came while the process was started.
            process.terminate()

    def forward(self, number: int, _: FrameType | None) -> None:
        self.received.append(number)
        if self._process is not None:
            self._process.terminate()


@contextmanager
def _forwarded_signals() -> Iterator[_Forwarder]:
    forwarder = _Forwarder()
    # Under nohup SIGHUP is ignored, and a closed terminal must not end the process.
    ends = [number for number in _ENDS if signal.getsignal(number) is not signal.SIG_IGN]
    before = {number: signal.signal(number, forwarder.forward) for number in ends}
    try:
        yield forwarder
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _messages(process: "subprocess.Popen[bytes]") -> Iterator[dict[str, Any]]:
    assert process.stdout is not None
    for line in process.stdout:
        yield json.loads(line)


def _bar() -> Progress:
    console = terminal.console(stderr=True)
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(bar_width=None),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=console,
        disable=not terminal.is_screen(console),
        expand=True,
    )
