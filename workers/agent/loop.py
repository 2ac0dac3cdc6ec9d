"""The agent: registers, claims, runs, until it is told to drain."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import Literal

import structlog

from service.contract.agent import Claim, ClaimRequest, Gone, HeartbeatReply, Registration
from service.contract.catalog import Catalog
from service.contract.ids import new_id
from workers.agent.attempt import Attempt
from workers.agent.catalog import CatalogReporter
from workers.agent.client import (
    ControlPlane,
    ControlPlaneError,
    Refused,
    Unauthorized,
    UnknownWorker,
)
from workers.agent.commands import Command
from workers.agent.heartbeat import Heartbeats
from workers.agent.predecessors import tell_of_the_dead
from workers.agent.worker_paths import WorkerPaths
from workers.launcher.base import Launcher

_REFUSED_SECONDS = 10.0
_LAST_WORD_SECONDS = 1.0
_LOOK_SECONDS = 0.1
_log = structlog.get_logger()


@dataclass(frozen=True)
class Drain:
    """A signal: the first drains, the second ends."""


@dataclass(frozen=True)
class Ended:
    """An attempt's thread is done."""


@dataclass(frozen=True)
class Fatal:
    """The control plane will not have this worker."""

    error: ControlPlaneError


class Agent:
    """One worker; `clock` is monotonic, and goes on while the machine sleeps."""

    def __init__(
        self,
        worker_id: str,
        registration: Registration,
        *,
        places: WorkerPaths,
        launcher: Launcher,
        control_plane: ControlPlane,
        give_up: threading.Event,
        on_drain: Literal["wait", "release"],
        clock: Callable[[], float],
        catalog: Catalog,
    ) -> None:
        self._worker_id, self._registration = worker_id, registration
        self._catalog = CatalogReporter(control_plane, worker_id, catalog)
        self._places, self._launcher, self._on_drain = places, launcher, on_drain
        self._control_plane, self._give_up, self._clock = control_plane, give_up, clock
        self._words: SimpleQueue[Drain | Ended | Fatal] = SimpleQueue()
        self._attempts: dict[tuple[str, int], Attempt] = {}
        self._changed = threading.Condition()
        self._draining = self._unwanted = False
        self._heartbeats = Heartbeats(
            control_plane,
            worker_id,
            self._running,
            forgotten=self._forgotten,
            heard=self._heard,
            clock=clock,
        )

    def drain(self) -> None:
        """What a signal handler calls: the first time drains, the second ends at once."""
        self._words.put(Drain())

    def run(self) -> int:
        """The exit status: 0 once drained, 1 if the control plane would not have this worker."""
        threading.Thread(target=self._claim_attempts, name="claims", daemon=True).start()
        status = self._until_drained()
        self._launcher.close()
        try:
            self._control_plane.gone(self._worker_id, Gone(message="the worker was shut down"))
        except ControlPlaneError as error:
            _log.warning("gone_not_said", error=str(error))
        return status

    def _until_drained(self) -> int:
        status = 0
        while not (self._draining and not self._running()):
            word = self._next_word()
            if word is None:
                # The lease does its work: a report could not add to it.
                _log.warning("last_reports_given_up")
                self._end_now()
                return status
            if isinstance(word, Fatal):
                _log.error("worker_refused", error=str(word.error))
                status = 1
            if isinstance(word, Ended):
                continue
            if self._draining and isinstance(word, Drain):
                self._end_now()
                return status
            self._begin_draining()
        return status

    def _next_word(self) -> Drain | Ended | Fatal | None:
        """None once nothing is left of a drain but reports, and they were tried for a grace."""
        if not self._draining:
            return self._words.get()
        give_up_at: float | None = None
        while give_up_at is None or self._clock() < give_up_at:
            try:
                return self._words.get(timeout=_LOOK_SECONDS)
            except Empty:
                running = self._running()
            if any(attempt.runs for attempt in running):
                give_up_at = None
            elif give_up_at is None:
                graces = [attempt.claim.lease.kill_grace_seconds for attempt in running]
                give_up_at = self._clock() + max(graces, default=0.0)
        return None

    def _begin_draining(self) -> None:
        _log.info("draining", on_drain=self._on_drain, attempts=len(self._running()))
        with self._changed:
            self._draining = True
        if self._on_drain == "release":
            for attempt in self._running():
                attempt.tell(Command.RELEASE)

    def _end_now(self) -> None:
        _log.warning("ending_now", attempts=len(self._running()))
        for attempt in self._running():
            attempt.tell(Command.END_NOW)
        with self._changed:
            self._changed.wait_for(lambda: not self._attempts, _LAST_WORD_SECONDS)
        self._give_up.set()

    def _claim_attempts(self) -> None:
        try:
            self._register()
            threading.Thread(target=self._heartbeats.run, name="heartbeats", daemon=True).start()
            while self._wait_for_room():
                claim = self._claim()
                if claim is not None:
                    self._accept(claim)
        except ControlPlaneError as error:
            self._words.put(Fatal(error))

    def _forgotten(self) -> None:
        # Who has said goodbye is meant to be forgotten.
        if not self._draining or self._running():
            self._register()

    def _register(self) -> None:
        registered = self._control_plane.register(self._worker_id, self._registration)
        _log.info("registered", worker_id=self._worker_id)
        self._catalog.report()
        threading.Thread(
            target=tell_of_the_dead, args=(registered.neighbours, self._control_plane), daemon=True
        ).start()

    def _wait_for_room(self) -> bool:
        with self._changed:
            self._changed.wait_for(lambda: self._draining or self._has_room())
            return not self._draining

    def _has_room(self) -> bool:
        return not self._unwanted and len(self._attempts) < self._registration.slots

    def _claim(self) -> Claim | None:
        request = ClaimRequest(
            worker_id=self._worker_id,
            request_id=new_id("req"),
            free_slots=self._registration.slots - len(self._running()),
            free_gpus=self._launcher.free_gpus,
        )
        while True:
            try:
                return self._control_plane.claim(request)
            except UnknownWorker:
                self._forgotten()
                if self._draining:
                    return None
            except Unauthorized:
                raise
            except Refused as error:
                _log.error("claim_refused", error=str(error))
                time.sleep(_REFUSED_SECONDS)
                return None

    def _accept(self, claim: Claim) -> None:
        key = (claim.job_id, claim.attempt)
        attempt = Attempt(
            claim, self._places, self._launcher, self._control_plane.report, self._clock
        )
        with self._changed:
            assert key not in self._attempts, "the control plane gave an attempt twice"
            self._attempts[key] = attempt
            if self._draining:
                attempt.tell(Command.RELEASE)
        _log.info("claimed", job_id=claim.job_id, attempt=claim.attempt)
        threading.Thread(target=self._run, args=(key, attempt), name=str(key), daemon=True).start()
        self._heartbeats.wake()

    def _run(self, key: tuple[str, int], attempt: Attempt) -> None:
        try:
            attempt.run()
        except Exception:
            # A bug of ours: the lease runs out, and the other attempts go on.
            _log.exception("attempt_broken", job_id=key[0], attempt=key[1])
        finally:
            with self._changed:
                del self._attempts[key]
                self._changed.notify_all()
            self._words.put(Ended())

    def _running(self) -> list[Attempt]:
        with self._changed:
            return list(self._attempts.values())

    def _heard(self, reply: HeartbeatReply) -> None:
        with self._changed:
            self._unwanted = reply.drain
            self._changed.notify_all()
