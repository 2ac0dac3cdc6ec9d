"""Starts the host processes of an attempt by `srun`, as one step of the allocation."""

import os
import re
import subprocess
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import IO

import structlog

from service.contract.ids import new_id
from workers.launcher.slurm.commands import SlurmFailed, answer_of
from workers.launcher.wide.engine import Closed, EngineMessage, Gone, Host, Line

_TASKS = re.compile(r"srun: error: \S+: tasks? ([\d,-]+): (.+)")
_BAD_STATES = ("down", "fail", "unk", "*")
_log = structlog.get_logger()

Receive = Callable[[EngineMessage], None]


class SlurmEngine:
    """Starts a step of the job for each attempt; `environment` is that of the allocation."""

    number_variable = "SLURM_PROCID"

    def __init__(self, job_id: str) -> None:
        self._job_id = job_id

    def start(self, command: Sequence[str], hosts: Sequence[Host], receive: Receive) -> "SlurmStep":
        """Start `command` once on each host; raises OSError."""
        name = new_id("step")
        count = len(hosts)
        flags = [
            f"--job-name={name}",
            f"--nodelist={','.join(host.name for host in hosts)}",
            f"--nodes={count}",
            f"--ntasks={count}",
            "--ntasks-per-node=1",
            # The launcher counts its hosts itself: a step that still ends must not hold up another.
            "--overlap",
            "--mem=0",
            "--cpu-bind=none",
            "--export=ALL",
            # Hosts that live are told to end by the agent, and then say how their ranks ended.
            "--kill-on-bad-exit=0",
            "--wait=0",
        ]
        # In its own session, so that Ctrl-C reaches the agent alone.
        process = subprocess.Popen(
            ["srun", *flags, *command],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        return SlurmStep(process, self._job_id, name, hosts, receive)


class SlurmStep:
    """One `srun`: its input goes to the process of each node, and their output comes back."""

    def __init__(
        self,
        process: "subprocess.Popen[bytes]",
        job_id: str,
        name: str,
        hosts: Sequence[Host],
        receive: Receive,
    ) -> None:
        self._process, self._job_id, self._name, self._hosts = process, job_id, name, hosts
        self._receive = receive
        assert process.stdin is not None
        os.set_blocking(process.stdin.fileno(), False)
        self._input: IO[bytes] | None = process.stdin
        self._sending = threading.Lock()
        threading.Thread(target=self._follow, name="srun", daemon=True).start()

    def send(self, line: str) -> None:
        """Send a line to the process of each node; it is lost where srun reads nothing."""
        with self._sending:
            if self._input is None:
                return
            # Past the buffer: a line is written as a whole or not at all.
            try:
                os.write(self._input.fileno(), f"{line}\n".encode())
            except OSError as error:
                _log.warning("line_not_sent", line=line.split()[0], error=str(error))

    def kill(self) -> None:
        """Kill srun, on whose death Slurm kills the step."""
        self._process.kill()

    def have_ended(self) -> bool:
        """Whether Slurm has no such step any more, and hears of all its nodes; it is cancelled."""
        nodes = ",".join(host.name for host in self._hosts)
        try:
            listed = answer_of(
                ["squeue", "--steps", "--noheader", f"--jobs={self._job_id}", "--format=%i %j"]
            )
            steps = [step for step in map(str.split, listed) if step[-1] == self._name]
            for step, _ in steps:
                # A step outlives an srun that was killed together with the child that guards it.
                answer_of(["scancel", "--signal=KILL", step])
            states = answer_of(["sinfo", "--noheader", f"--nodes={nodes}", "--format=%t"])
        except SlurmFailed:
            return False
        is_heard = not any(bad in state for state in states for bad in _BAD_STATES)
        return not steps and bool(states) and is_heard

    def _follow(self) -> None:
        assert self._process.stdout is not None
        assert self._process.stderr is not None
        errors = threading.Thread(
            target=self._read_errors, args=(self._process.stderr,), daemon=True
        )
        errors.start()
        for line in _lines(self._process.stdout):
            self._receive(Line(line))
        errors.join()
        status = self._process.wait()
        with self._sending, self._process:
            # Its pipes are closed: another file may get their numbers.
            self._input = None
        self._receive(Closed(f"srun ended with status {status}"))

    def _read_errors(self, errors: IO[bytes]) -> None:
        for line in _lines(errors):
            _log.info("srun", line=line)
            for number, how in gone_tasks(line):
                self._receive(Gone(number, how))


def gone_tasks(line: str) -> Iterator[tuple[int, str]]:
    """The tasks that a line of srun says have ended badly, and how; none for another line."""
    told = _TASKS.fullmatch(line)
    if told is None:
        return
    for part in told[1].split(","):
        first, _, last = part.partition("-")
        for number in range(int(first), int(last or first) + 1):
            yield number, told[2]


def _lines(stream: IO[bytes]) -> Iterator[str]:
    for line in stream:
        yield line.decode(errors="replace").rstrip("\n")
