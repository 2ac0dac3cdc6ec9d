"""The engine that starts host processes in network namespaces."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress

from api_tests.support.namespace_step import GONE
from service.contract.ids import new_id
from workers.launcher.wide.engine import Closed, EngineMessage, Gone, Host, Line
from workers.process_marks import remaining_processes

STEP = "TRAINYARD_TEST_STEP"
"""The environment variable that marks every process of a step."""


class NamespaceEngine:
    """Starts each host process in the namespace of its host, by a process as srun is one."""

    number_variable = "TRAINYARD_HOST_NUMBER"

    def start(
        self,
        command: Sequence[str],
        hosts: Sequence[Host],
        receive: Callable[[EngineMessage], None],
    ) -> "NamespaceStep":
        """Start `command` once on each host."""
        name = new_id("step")
        names = ",".join(host.name for host in hosts)
        module = [sys.executable, "-m", "api_tests.support.namespace_step"]
        process = subprocess.Popen(
            [*module, self.number_variable, names, *command],
            env=os.environ | {STEP: name},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            bufsize=0,
            start_new_session=True,
        )
        return NamespaceStep(process, name, receive)


class NamespaceStep:
    """The process of the engine, with the host processes below it."""

    def __init__(
        self,
        process: "subprocess.Popen[bytes]",
        name: str,
        receive: Callable[[EngineMessage], None],
    ) -> None:
        self._process, self._name, self._receive = process, name, receive
        threading.Thread(target=self._read, daemon=True).start()

    def send(self, line: str) -> None:
        """Send a line to each."""
        assert self._process.stdin is not None
        # ValueError: it has been closed.
        with suppress(OSError, ValueError):
            self._process.stdin.write(f"{line}\n".encode())

    def kill(self) -> None:
        """Kill the engine's process, which ends the inputs of the host processes."""
        self._process.kill()

    def have_ended(self) -> bool:
        """Whether none is left; those that are are killed."""
        left = remaining_processes(STEP, self._name)
        for pid in left:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        return not left

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            text = line.decode().rstrip("\n")
            if text.startswith(f"{GONE} "):
                _, number, status = text.split()
                self._receive(Gone(int(number), f"status {status}"))
            else:
                self._receive(Line(text))
        with self._process:
            status = self._process.wait()
        self._receive(Closed(f"the engine ended with status {status}"))
