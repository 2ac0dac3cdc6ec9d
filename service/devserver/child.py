"""A child process that ends when its parent dies, and that writes its output to a log file."""

import contextlib
import json
import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import psutil

from service.contract.kernel import die_with_parent
from service.devserver.signals import unblock_signals

_HEAD_BYTES = 1_000_000
_TAIL_BYTES = 8_192


@dataclass(frozen=True)
class Program:
    """A command to run, its name in messages, its environment, and the log file of its output."""

    name: str
    command: Sequence[str]
    env: Mapping[str, str]
    log: Path
    parent_death_signal: int = signal.SIGTERM
    """The signal that the kernel sends to the process when its parent dies."""


class Child:
    """One running process of a program."""

    def __init__(self, program: Program) -> None:
        """Start the process in its own session, so that Ctrl-C in a terminal does not reach it."""
        self.program = program
        with program.log.open("ab") as log:
            self._log_start = log.tell()
            self._process = subprocess.Popen(
                program.command,
                env=program.env,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=partial(_prepare_child, os.getpid(), program.parent_death_signal),
            )

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    def exit_status(self) -> int | None:
        """The exit status, `-signal` for a killed process, and None for a running one."""
        return self._process.poll()

    def send_signal(self, number: int) -> None:
        """Send a signal; it has no effect on a process that has already ended."""
        self._process.send_signal(number)

    def wait(self) -> None:
        """Wait until the process has ended."""
        self._process.wait()

    def has_printed(self, text: str) -> bool:
        """Whether `text` is in the first megabyte that this process wrote."""
        with self.program.log.open("rb") as log:
            log.seek(self._log_start)
            return text.encode() in log.read(_HEAD_BYTES)

    def last_output_line(self) -> str:
        """The last non-empty line that this process wrote, or "" if it wrote none.

        Of a structured line of a log it is the event and its error.
        """
        with self.program.log.open("rb") as log:
            end = log.seek(0, os.SEEK_END)
            log.seek(max(self._log_start, end - _TAIL_BYTES))
            lines = log.read().decode(errors="replace").split("\n")
        last = next((line.strip() for line in reversed(lines) if line.strip()), "")
        return _readable(last).removeprefix("trainyard: ")


def kill_orphans(children: Sequence[Child]) -> None:
    """Kill the child processes that are not in `children`, with all their descendants."""
    orphans = _orphans(children)
    descendants = [each for orphan in orphans for each in _descendants_of(orphan)]
    _kill([*orphans, *descendants])


def reap_orphans(children: Sequence[Child]) -> None:
    """Wait for ended child processes that are not in `children`, so that no zombies remain."""
    for orphan in _orphans(children):
        with contextlib.suppress(psutil.NoSuchProcess, psutil.TimeoutExpired):
            if orphan.status() == psutil.STATUS_ZOMBIE:
                orphan.wait(timeout=0)


def kill_descendants() -> None:
    """Kill every descendant of this process, and wait until none is left."""
    while descendants := _descendants_of(psutil.Process()):
        _kill(descendants)


def _orphans(children: Sequence[Child]) -> list[psutil.Process]:
    known = {child.pid for child in children}
    return [each for each in psutil.Process().children() if each.pid not in known]


def _descendants_of(process: psutil.Process) -> list[psutil.Process]:
    with contextlib.suppress(psutil.NoSuchProcess):
        return list(process.children(recursive=True))
    return []


def _kill(processes: Sequence[psutil.Process]) -> None:
    for each in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            each.kill()
    psutil.wait_procs(processes, timeout=10)


def _readable(line: str) -> str:
    try:
        entry: Any = json.loads(line)
    except ValueError:
        return line
    if not isinstance(entry, dict) or "event" not in entry:
        return line
    return ": ".join(str(entry[name]) for name in ("event", "error") if entry.get(name))


def _prepare_child(parent: int, death_signal: int) -> None:
    # Runs in the child between fork and exec.
    die_with_parent(parent, death_signal)
    unblock_signals()
