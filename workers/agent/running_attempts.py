"""The attempts that a worker runs, and the slots that they leave free."""

import threading
from collections.abc import Callable
from typing import Literal

import structlog

from service.contract.traces import Span
from workers.agent.attempt import Attempt
from workers.agent.commands import Command

_log = structlog.get_logger()


class RunningAttempts:
    """Runs each attempt in a thread; `on_end` is called in it after each end."""

    def __init__(self, slots: int, on_end: Callable[[], None]) -> None:
        self._slots, self._on_end = slots, on_end
        self._attempts: dict[tuple[str, int], Attempt] = {}
        self._changed = threading.Condition()
        self._paused_by: set[str] = set()
        self._closed = False

    def all(self) -> list[Attempt]:
        """Those that have not ended."""
        with self._changed:
            return list(self._attempts.values())

    def of_gpus(self) -> dict[int, tuple[str, int]]:
        """By the index of a GPU the job and the number of the attempt that uses it."""
        with self._changed:
            running = list(self._attempts.items())
        return {index: key for key, attempt in running for index in attempt.gpus}

    def free_slots(self) -> int:
        """How many more there may be at the same time."""
        with self._changed:
            return max(0, self._free_slots())

    def begin(self, attempt: Attempt, span: Span | None = None) -> None:
        """Run one more; `span` ends with it.

        It is given back at once after `close`, and while the launcher wants no more attempts.
        """
        claim = attempt.claim
        key = (claim.job_id, claim.attempt)
        with self._changed:
            assert key not in self._attempts, "the control plane gave an attempt twice"
            self._attempts[key] = attempt
            if self._closed:
                attempt.send(Command.RELEASE)
            elif "launcher" in self._paused_by:
                attempt.send(Command.DECLINE)
        _log.info("claimed", job_id=claim.job_id, attempt=claim.attempt)
        threading.Thread(
            target=self._run, args=(key, attempt, span), name=str(key), daemon=True
        ).start()

    def set_slots(self, slots: int) -> None:
        """Offer so many slots from now on; what runs beyond them goes on."""
        with self._changed:
            self._slots = slots
            self._changed.notify_all()

    def pause(self, who: Literal["server", "launcher"], paused: bool) -> None:
        """Offer no slot while the control plane or the launcher wants no more attempts here."""
        with self._changed:
            if paused:
                self._paused_by.add(who)
            else:
                self._paused_by.discard(who)
            self._changed.notify_all()

    def close(self) -> None:
        """Offer no slot any more."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def wait_for_slot(self, seconds: float) -> bool:
        """Whether one came free; False at once after `close`."""
        with self._changed:
            self._changed.wait_for(lambda: self._closed or self._has_free_slot(), seconds)
            return not self._closed and self._has_free_slot()

    def wait_until_ended(self, seconds: float) -> None:
        """Wait so long at most until none is left."""
        with self._changed:
            self._changed.wait_for(lambda: not self._attempts, seconds)

    def _has_free_slot(self) -> bool:
        return not self._paused_by and self._free_slots() > 0

    def _free_slots(self) -> int:
        # A slot of a worker that stands for several hosts is a host.
        used = sum(each.claim.spec.resources.hosts for each in self._attempts.values())
        return self._slots - used

    def _run(self, key: tuple[str, int], attempt: Attempt, span: Span | None) -> None:
        try:
            attempt.run()
        except BaseException:
            # A SystemExit too would end this thread in silence; the lease runs out.
            _log.exception("attempt_not_reported", job_id=key[0], attempt=key[1])
        finally:
            if span is not None:
                span.end()
            with self._changed:
                del self._attempts[key]
                self._changed.notify_all()
            self._on_end()
