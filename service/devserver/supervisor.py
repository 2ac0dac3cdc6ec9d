"""Keeps a server and its workers running, and stops the workers before the server."""

import signal
import time
from collections.abc import Callable, Sequence
from contextlib import suppress

from service.contract.kernel import become_subreaper
from service.contract.log_limit import limit_log
from service.devserver.child import (
    Child,
    Program,
    kill_descendants,
    kill_orphans,
    reap_orphans,
)
from service.devserver.join_watch import JOIN_SECONDS, JoinWatch, last_log
from service.devserver.restarting_process import RestartingProcess, StartRefused
from service.devserver.signals import TERMINATION_SIGNALS, blocked_signals, next_signal

_READY_POLL_SECONDS = 0.1
_TICK_SECONDS = 1.0


class _StopRequested(Exception):
    """A termination signal has arrived."""


class Supervisor:
    """Runs one server and then its workers; must be used from a process's main thread."""

    def __init__(
        self,
        server: Program,
        workers: Sequence[Program],
        *,
        ready: Callable[[], bool],
        print_line: Callable[[str], None],
        on_ready: Callable[[], None],
        on_tick: Callable[[], None],
        grace_seconds: float,
        clock: Callable[[], float] = time.monotonic,
        join_seconds: float = JOIN_SECONDS,
    ) -> None:
        """Take the programs and the callbacks; nothing is started yet.

        `ready` says whether the server answers, `on_ready` is called once when it does, `on_tick`
        about once a second from then on. A process that runs for `grace_seconds` after SIGTERM is
        killed. A server that does not answer, and a worker that does not register, is mentioned
        after `join_seconds`.
        """
        self._server = RestartingProcess(server, clock)
        self._workers = [RestartingProcess(program, clock) for program in workers]
        self._ready = ready
        self._print_line = unfailing(print_line)
        self._on_ready = on_ready
        self._on_tick = on_tick
        self._grace_seconds = grace_seconds
        self._clock = clock
        self._join_seconds = join_seconds
        self._join_watch = JoinWatch(self._workers, self._print_line, join_seconds)

    def run(self) -> None:
        """Run until a termination signal arrives, and return when every process has ended.

        The first SIGTERM, SIGINT or SIGHUP ends the workers and then the server; a second one kills
        them. Raises StartRefused when a program reports that it cannot run.
        """
        become_subreaper()
        with blocked_signals():
            try:
                self._start()
                self._supervise()
            except _StopRequested:
                self._print_line(
                    "stopping: the workers save their jobs and release them "
                    "(a second signal kills them)"
                )
            finally:
                self._stop()
                kill_descendants()

    def _start(self) -> None:
        self._server.start()
        is_mentioned = False
        while not self._ready():
            self._raise_if_terminating(next_signal(_READY_POLL_SECONDS))
            child = self._server.child
            if child is not None and child.exit_status() is not None:
                message = child.last_output_line() or f"the server ended: see {child.program.log}"
                raise StartRefused(message)
            if child is not None and not is_mentioned and self._is_late():
                is_mentioned = True
                self._print_line(f"the server does not answer yet: {last_log(child)}")
        self._on_ready()
        for worker in self._workers:
            worker.start()

    def _is_late(self) -> bool:
        return self._server.age_seconds() >= self._join_seconds

    def _supervise(self) -> None:
        processes = [self._server, *self._workers]
        while True:
            delays = [delay for each in processes if (delay := each.due_in_seconds()) is not None]
            self._raise_if_terminating(next_signal(min([_TICK_SECONDS, *delays])))
            for process in processes:
                if (message := process.poll()) is not None:
                    self._print_line(message)
                    kill_orphans(self._children())
                if process.due_in_seconds() == 0:
                    process.start()
            reap_orphans(self._children())
            for child in self._children():
                limit_log(child.program.log)
            self._join_watch.check()
            self._on_tick()

    def _stop(self) -> None:
        workers = [worker.child for worker in self._workers if worker.child]
        server = [self._server.child] if self._server.child else []
        for group in (workers, server):
            for child in group:
                child.send_signal(signal.SIGTERM)
            self._wait_for(group)

    def _wait_for(self, children: Sequence[Child]) -> None:
        deadline = self._clock() + self._grace_seconds
        while any(child.exit_status() is None for child in children):
            left = deadline - self._clock()
            repeated = next_signal(min(left, _TICK_SECONDS)) in TERMINATION_SIGNALS
            if repeated or left <= 0:
                self._print_line(
                    "second signal: killing the processes that still run"
                    if repeated
                    else f"out of time after {self._grace_seconds:g} s: killing the processes "
                    "that still run"
                )
                for child in children:
                    child.send_signal(signal.SIGKILL)
                deadline = self._clock() + self._grace_seconds

    def _children(self) -> list[Child]:
        return [each.child for each in (self._server, *self._workers) if each.child]

    def _raise_if_terminating(self, number: int | None) -> None:
        if number in TERMINATION_SIGNALS:
            raise _StopRequested


def unfailing(print_line: Callable[[str], None]) -> Callable[[str], None]:
    """A function that prints a line where that is possible.

    A full disk or a terminal that is gone must not end the server and the workers.
    """

    def print_if_possible(line: str) -> None:
        with suppress(OSError):
            print_line(line)

    return print_if_possible
