"""The thread that beats for all attempts of an agent."""

import random
import threading
from collections.abc import Callable, Collection

import structlog

from service.contract.agent import Heartbeat, HeartbeatReply
from workers.agent.attempt import Attempt
from workers.agent.client import ControlPlane, ControlPlaneError, UnknownWorker, Unreachable

_FIRST_SECONDS = 10.0
"""How often to beat before a claim has said it."""
_log = structlog.get_logger()


class Heartbeats:
    """Beats when the shortest lease says, and at most every `quick_seconds` when there is news.

    `attempts` gives those that run now; `forgotten` is called when the control plane does not know
    the worker, `heard` with each reply.
    """

    def __init__(
        self,
        control_plane: ControlPlane,
        worker_id: str,
        attempts: Callable[[], Collection[Attempt]],
        *,
        forgotten: Callable[[], None],
        heard: Callable[[HeartbeatReply], None],
        clock: Callable[[], float],
        quick_seconds: float = 0.5,
    ) -> None:
        self._control_plane, self._worker_id, self._attempts = control_plane, worker_id, attempts
        self._forgotten, self._heard, self._clock = forgotten, heard, clock
        self._quick_seconds = quick_seconds
        self._woken = threading.Event()
        self._usual_seconds = _FIRST_SECONDS
        self._failures = 0

    def wake(self) -> None:
        """Beat at once: there is a new attempt."""
        self._woken.set()

    def run(self) -> None:
        """Beat for ever."""
        while True:
            self._wait()
            self._beat()

    def _wait(self) -> None:
        due = self._clock() + self._interval()
        while (left := due - self._clock()) > 0:
            if self._woken.wait(min(left, self._quick_seconds)):
                break
            if not self._failures and any(attempt.has_news() for attempt in self._attempts()):
                break
        self._woken.clear()

    def _interval(self) -> float:
        leases = [attempt.claim.lease.heartbeat_seconds for attempt in self._attempts()]
        self._usual_seconds = min(leases, default=self._usual_seconds)
        if not self._failures:
            return self._usual_seconds
        backoff = self._quick_seconds * 2 ** min(self._failures, 10)
        return float(min(self._usual_seconds, backoff) * random.uniform(0.5, 1.0))

    def _beat(self) -> None:
        there = [attempt for attempt in self._attempts() if not attempt.is_wedged()]
        attempts = {(a.claim.job_id, a.claim.attempt): a for a in there}
        beats = tuple(attempt.beat() for attempt in attempts.values())
        sent_at = self._clock()
        try:
            reply = self._control_plane.heartbeat(Heartbeat(worker_id=self._worker_id, beats=beats))
        except ControlPlaneError as error:
            self._failed(error)
            return
        if self._failures:
            _log.info("heartbeat_answered", failures=self._failures)
        self._failures = 0
        for answer in reply.replies:
            attempt = attempts.get((answer.job_id, answer.attempt))
            if attempt is not None:
                attempt.answered(answer, sent_at)
        self._heard(reply)

    def _failed(self, error: ControlPlaneError) -> None:
        self._failures += 1
        if isinstance(error, UnknownWorker):
            self._forgotten()
        # The first, and then ever fewer: an outage may last a night.
        if self._failures.bit_count() == 1:
            level = _log.warning if isinstance(error, Unreachable) else _log.error
            level("heartbeat_failed", failures=self._failures, error=str(error))
