"""The end of an agent: it takes no more attempts, and waits for those that run, or ends them."""

import threading
from collections.abc import Callable
from queue import Empty, SimpleQueue
from typing import Literal

import structlog

from workers.agent.agent_messages import (
    AgentMessage,
    AttemptEnded,
    Drain,
    MachinesLeave,
    WorkerRefused,
)
from workers.agent.commands import Command
from workers.agent.running_attempts import RunningAttempts

_LAST_REPORT_SECONDS = 1.0
_POLL_SECONDS = 0.1
_log = structlog.get_logger()


class AgentDrain:
    """Waits for the messages that begin it; `stop_claims` is called when it begins.

    `stop_retries` is set once reports are no longer worth a wait; `on_drain` says whether a drain
    by a signal waits for the attempts, or has them saved and given back.
    """

    def __init__(
        self,
        messages: SimpleQueue[AgentMessage],
        running: RunningAttempts,
        *,
        stop_claims: Callable[[], None],
        stop_retries: threading.Event,
        on_drain: Literal["wait", "release"],
        clock: Callable[[], float],
    ) -> None:
        self._messages, self._running = messages, running
        self._stop_claims, self._stop_retries = stop_claims, stop_retries
        self._on_drain, self._clock = on_drain, clock
        self._is_signalled = False
        self.has_begun = False
        """Whether the worker takes no more attempts."""

    def wait(self) -> int:
        """Return when it is done, with the agent's exit status."""
        status = 0
        while not (self.has_begun and not self._running.all()):
            message = self._next_message()
            if message is None:
                # The leases run out by themselves: a report could not add to that.
                _log.warning("last_reports_abandoned")
                self._end_now()
                return status
            if isinstance(message, WorkerRefused):
                _log.error("worker_refused", error=str(message.error))
                status = 1
            if isinstance(message, AttemptEnded):
                continue
            if isinstance(message, Drain):
                if self._is_signalled:
                    self._end_now()
                    return status
                self._is_signalled = True
            self._begin(releases=self._on_drain == "release" or message == MachinesLeave())
        return status

    def _next_message(self) -> AgentMessage | None:
        """None once nothing is left of a drain but reports, and they were tried for a grace."""
        if not self.has_begun:
            return self._messages.get()
        abandon_at: float | None = None
        while abandon_at is None or self._clock() < abandon_at:
            try:
                return self._messages.get(timeout=_POLL_SECONDS)
            except Empty:
                running = self._running.all()
            if any(attempt.runs for attempt in running):
                abandon_at = None
            elif abandon_at is None:
                graces = [attempt.claim.lease.kill_grace_seconds for attempt in running]
                abandon_at = self._clock() + max(graces, default=0.0)
        return None

    def _begin(self, *, releases: bool) -> None:
        _log.info("draining", releases=releases, attempts=len(self._running.all()))
        self.has_begun = True
        self._running.close()
        self._stop_claims()
        if releases:
            for attempt in self._running.all():
                attempt.send(Command.RELEASE)

    def _end_now(self) -> None:
        _log.warning("ending_now", attempts=len(self._running.all()))
        for attempt in self._running.all():
            attempt.send(Command.END_NOW)
        self._running.wait_until_ended(_LAST_REPORT_SECONDS)
        self._stop_retries.set()
