"""A process that ends with its parent, and whose output is in a file."""

import contextlib
import ctypes
import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import psutil

from service.devserver.signals import release

_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36
_TAIL_BYTES = 8_192
_libc = ctypes.CDLL(None, use_errno=True)


@dataclass(frozen=True)
class Program:
    """What is to run: a name for people, a command, and the file that takes its output."""

    name: str
    command: Sequence[str]
    env: Mapping[str, str]
    log: Path
    dies_by: int = signal.SIGTERM
    """The signal it gets when its parent is killed."""


class Child:
    """One run of a program."""

    def __init__(self, program: Program) -> None:
        """Start it, in a session of its own: a terminal's Ctrl-C does not reach it."""
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
                preexec_fn=partial(_end_with, os.getpid(), program.dies_by),
            )

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    def ended(self) -> int | None:
        """Its exit status, negative for a signal; None while it lives."""
        return self._process.poll()

    def send(self, which: int) -> None:
        """Send a signal; a child that has ended does not mind."""
        self._process.send_signal(which)

    def wait(self) -> None:
        """Return when it has ended."""
        self._process.wait()

    def last_words(self) -> str:
        """The last line that this run wrote; empty where it wrote none."""
        with self.program.log.open("rb") as log:
            end = log.seek(0, os.SEEK_END)
            log.seek(max(self._log_start, end - _TAIL_BYTES))
            lines = log.read().decode(errors="replace").split("\n")
        last = next((line.strip() for line in reversed(lines) if line.strip()), "")
        return last.removeprefix("trainyard: ")


def adopt_orphans() -> None:
    """From now on, descendants whose parent dies become this process's children."""
    if _libc.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_CHILD_SUBREAPER)")


def kill_orphans(children: Sequence[Child]) -> None:
    """End those who were adopted, and whatever they started."""
    orphans = _orphans(children)
    _kill([*orphans, *(below for orphan in orphans for below in _below(orphan))])


def reap_orphans(children: Sequence[Child]) -> None:
    """Take leave of the adopted that have ended: nobody else does."""
    for orphan in _orphans(children):
        with contextlib.suppress(psutil.NoSuchProcess, psutil.TimeoutExpired):
            if orphan.status() == psutil.STATUS_ZOMBIE:
                orphan.wait(timeout=0)


def kill_descendants() -> None:
    """End everything below this process, and wait until it is gone."""
    while below := _below(psutil.Process()):
        _kill(below)


def _orphans(children: Sequence[Child]) -> list[psutil.Process]:
    known = {child.pid for child in children}
    return [each for each in psutil.Process().children() if each.pid not in known]


def _below(process: psutil.Process) -> list[psutil.Process]:
    with contextlib.suppress(psutil.NoSuchProcess):
        return list(process.children(recursive=True))
    return []


def _kill(processes: Sequence[psutil.Process]) -> None:
    for each in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            each.kill()
    psutil.wait_procs(processes, timeout=10)


def _end_with(parent: int, dies_by: int) -> None:
    # Runs in the child, before the program: when the parent dies, so does it.
    _libc.prctl(_PR_SET_PDEATHSIG, dies_by, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(1)
    release()
