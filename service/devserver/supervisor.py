"""Keeps a server and its workers running, and ends them in order."""

import signal
import time
from collections.abc import Callable, Sequence

from service.devserver.child import (
    Child,
    Program,
    adopt_orphans,
    kill_descendants,
    kill_orphans,
    reap_orphans,
)
from service.devserver.restarting_process import Refused, RestartingProcess
from service.devserver.signals import ENDINGS, held, next_signal

_READY_POLL_SECONDS = 0.1
_TICK_SECONDS = 1.0


class _Ended(Exception):
    """Somebody asked for the end."""


class Supervisor:
    """One server, then the workers; to be used from a process's main thread."""

    def __init__(
        self,
        server: Program,
        workers: Sequence[Program],
        *,
        ready: Callable[[], bool],
        say: Callable[[str], None],
        on_ready: Callable[[], None],
        on_tick: Callable[[], None],
        grace_seconds: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`ready` asks the server; `on_tick` is called about once a second while all is well."""
        self._server = RestartingProcess(server, clock)
        self._workers = [RestartingProcess(program, clock) for program in workers]
        self._ready = ready
        self._say = say
        self._on_ready = on_ready
        self._on_tick = on_tick
        self._grace_seconds = grace_seconds
        self._clock = clock

    def run(self) -> None:
        """Return once everything was asked to end, and has; raises Refused.

        A first SIGTERM, SIGINT or SIGHUP ends the workers and then the server; a second kills.
        """
        adopt_orphans()
        with held():
            try:
                self._start()
                self._keep()
            except _Ended:
                self._say("stopping: the workers save and release their jobs (again to kill)")
            finally:
                self._end()
                kill_descendants()

    def _start(self) -> None:
        self._server.start()
        while not self._ready():
            self._raise_if_asked(next_signal(_READY_POLL_SECONDS))
            child = self._server.child
            if child is not None and child.ended() is not None:
                raise Refused(child.last_words() or f"the server ended: see {child.program.log}")
        self._on_ready()
        for worker in self._workers:
            worker.start()

    def _keep(self) -> None:
        posts = [self._server, *self._workers]
        while True:
            delays = [delay for post in posts if (delay := post.due_in_seconds()) is not None]
            self._raise_if_asked(next_signal(min([_TICK_SECONDS, *delays])))
            for post in posts:
                if (news := post.look()) is not None:
                    self._say(news)
                    kill_orphans(self._children())
                if post.due_in_seconds() == 0:
                    post.start()
            reap_orphans(self._children())
            self._on_tick()

    def _end(self) -> None:
        workers = [post.child for post in self._workers if post.child]
        server = [self._server.child] if self._server.child else []
        for group in (workers, server):
            for child in group:
                child.send(signal.SIGTERM)
            self._wait_for(group)

    def _wait_for(self, children: Sequence[Child]) -> None:
        deadline = self._clock() + self._grace_seconds
        while any(child.ended() is None for child in children):
            left = deadline - self._clock()
            asked = next_signal(min(left, _TICK_SECONDS)) in ENDINGS
            if asked or left <= 0:
                self._say("killing what has not ended" if asked else "out of time: killing")
                for child in children:
                    child.send(signal.SIGKILL)
                deadline = self._clock() + self._grace_seconds

    def _children(self) -> list[Child]:
        return [post.child for post in (self._server, *self._workers) if post.child]

    def _raise_if_asked(self, found: int | None) -> None:
        if found in ENDINGS:
            raise _Ended
