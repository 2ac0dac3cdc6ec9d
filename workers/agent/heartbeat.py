"""The heartbeats of an agent, for all its attempts."""

import random
import threading
from collections.abc import Callable, Collection, Iterator

import structlog

from service.contract.agent import Beat, Heartbeat, HeartbeatReply
from service.contract.loop import Loop
from service.contract.samples import Sample
from workers.agent.attempt import Attempt
from workers.agent.client import ControlPlane
from workers.agent.control_plane_errors import ControlPlaneError, UnknownWorker, Unreachable

_FIRST_SECONDS = 10.0
"""The seconds between two heartbeats before a claim has brought its own."""
_FATAL_ERRORS = 10
_EVENT_BYTES = 5 * 1024 * 1024
"""The events of a heartbeat have no more, whose message a server takes up to 8 MiB."""
_log = structlog.get_logger()


class Heartbeats:
    """Beats when the shortest lease says, and at most every `quick_seconds` when there is news.

    `attempts` gives those that run now; `on_forgotten` is called when the control plane does not
    know the worker, `on_reply` with each reply; `take_sample` gives a new sample, if there is one.
    An agent that cannot beat is of no use, for its leases run out: after ten errors of its own in a
    row the process ends.
    """

    def __init__(
        self,
        control_plane: ControlPlane,
        worker_id: str,
        attempts: Callable[[], Collection[Attempt]],
        *,
        on_forgotten: Callable[[], None],
        on_reply: Callable[[HeartbeatReply], None],
        take_sample: Callable[[], Sample | None],
        clock: Callable[[], float],
        quick_seconds: float = 0.5,
    ) -> None:
        self._control_plane, self._worker_id, self._attempts = control_plane, worker_id, attempts
        self._on_forgotten, self._on_reply, self._clock = on_forgotten, on_reply, clock
        self._take_sample = take_sample
        self._quick_seconds = quick_seconds
        self._hastened = threading.Event()
        self._usual_seconds = _FIRST_SECONDS
        self._failures, self._due_at = 0, 0.0
        self.answered = self.failed = 0
        self._answered_at: float | None = None
        self._is_started = self._waits = False
        self._loop = Loop(
            "heartbeat",
            quick_seconds,
            self._beat_if_due,
            log=_log,
            # To register again may be refused: the next beat is the next try.
            outages=(ControlPlaneError,),
            fatal_errors=_FATAL_ERRORS,
        )

    def start(self) -> None:
        """Begin to beat, until the process ends."""
        self._due_at = self._clock() + self._interval()
        self._is_started = True
        self._loop.start()

    def silence_seconds(self) -> float | None:
        """How long ago the last answered beat was sent; None before the first."""
        answered_at = self._answered_at
        return self._clock() - answered_at if answered_at is not None else None

    def turns(self) -> int | None:
        """A count that grows every few seconds; None while a registration waits for the server."""
        return self._loop.turns if self._is_started and not self._waits else None

    def hasten(self) -> None:
        """Beat at once: there is a new attempt."""
        self._hastened.set()
        self._loop.hasten()

    def _beat_if_due(self) -> float:
        if self._is_due():
            # Before the beat: what comes while it is under way is for the next one.
            self._hastened.clear()
            self._beat()
            self._due_at = self._clock() + self._interval()
        return min(max(self._due_at - self._clock(), 0.0), self._quick_seconds)

    def _is_due(self) -> bool:
        if self._hastened.is_set() or self._clock() >= self._due_at:
            return True
        return not self._failures and any(attempt.has_news() for attempt in self._attempts())

    def _interval(self) -> float:
        leases = [attempt.claim.lease.heartbeat_seconds for attempt in self._attempts()]
        self._usual_seconds = min(leases, default=self._usual_seconds)
        if not self._failures:
            return self._usual_seconds
        backoff = self._quick_seconds * 2 ** min(self._failures, 10)
        return float(min(self._usual_seconds, backoff) * random.uniform(0.5, 1.0))

    def _beat(self) -> None:
        running = [attempt for attempt in self._attempts() if not attempt.is_wedged()]
        attempts = {(a.claim.job_id, a.claim.attempt): a for a in running}
        beats = tuple(beats_within(attempts.values(), _EVENT_BYTES))
        sent_at = self._clock()
        try:
            reply = self._control_plane.heartbeat(
                Heartbeat(worker_id=self._worker_id, beats=beats, sample=self._take_sample())
            )
        except ControlPlaneError as error:
            self._note_failure(error)
            return
        if self._failures:
            _log.info("heartbeat_answered", failures=self._failures)
        self._failures, self._answered_at = 0, sent_at
        self.answered += 1
        for each in reply.replies:
            attempt = attempts.get((each.job_id, each.attempt))
            if attempt is not None:
                attempt.take_reply(each, sent_at)
        self._on_reply(reply)

    def _note_failure(self, error: ControlPlaneError) -> None:
        self._failures += 1
        self.failed += 1
        # The first, and then ever fewer: an outage may last a night.
        if self._failures.bit_count() == 1:
            level = _log.warning if isinstance(error, Unreachable) else _log.error
            level("heartbeat_failed", failures=self._failures, error=str(error))
        if isinstance(error, UnknownWorker):
            self._waits = True
            try:
                self._on_forgotten()
            finally:
                self._waits = False


def beats_within(attempts: Collection[Attempt], left_bytes: int) -> Iterator[Beat]:
    """A beat of each attempt, without events where those before it leave no room for them."""
    for attempt in attempts:
        beat = attempt.beat()
        size = attempt.event_bytes()
        if size > left_bytes:
            # They are not acknowledged, and so come with a later heartbeat.
            beat = beat.model_copy(update={"events": ()})
        else:
            left_bytes -= size
        yield beat
