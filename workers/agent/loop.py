"""The agent: registers, claims, runs, until a signal drains it."""

import threading
from collections.abc import Callable
from dataclasses import replace
from queue import SimpleQueue
from typing import Literal

import structlog

from service.contract.agent import Claim, ClaimRequest, HeartbeatReply
from service.contract.catalog import Catalog
from service.contract.ids import new_id
from service.contract.loop import Loop
from service.contract.registration import Gone, Gpu, Registration
from service.contract.traces import Tracer
from workers.agent.agent_messages import (
    AgentMessage,
    AttemptEnded,
    Drain,
    MachinesLeave,
    WorkerRefused,
)
from workers.agent.attempt import Attempt
from workers.agent.attempt_spans import attempt_span
from workers.agent.availability import AvailabilityWatch
from workers.agent.catalog import CatalogReporter
from workers.agent.client import ControlPlane
from workers.agent.control_plane_errors import (
    ControlPlaneError,
    Refused,
    Unauthorized,
    UnknownWorker,
)
from workers.agent.drain import AgentDrain
from workers.agent.figures import AgentFigures
from workers.agent.gpu_inventory import GpuInventory
from workers.agent.gpu_sources import GpuSource
from workers.agent.gpu_use import GpuMeter
from workers.agent.gpu_watcher import GpuWatcher
from workers.agent.heartbeat import Heartbeats
from workers.agent.registrar import Registrar
from workers.agent.running_attempts import RunningAttempts
from workers.agent.samples import Sampler
from workers.agent.volume import VolumeReporter
from workers.agent.worker_paths import WorkerPaths
from workers.launcher.base import Availability, Launcher

_REFUSED_SECONDS = 10.0
_VOLUME_SECONDS = 5.0
_log = structlog.get_logger()


class Agent:
    """One worker; `clock` is monotonic, and goes on while the machine sleeps."""

    def __init__(
        self,
        worker_id: str,
        registration: Registration,
        *,
        paths: WorkerPaths,
        launcher: Launcher,
        control_plane: ControlPlane,
        stop_retries: threading.Event,
        gpus: GpuInventory,
        source: GpuSource,
        on_drain: Literal["wait", "release"],
        clock: Callable[[], float],
        catalog: Catalog,
        tracer: Tracer | None = None,
    ) -> None:
        self._worker_id = worker_id
        self._volume = VolumeReporter(control_plane, worker_id, paths.volume)
        self._registrar = Registrar(
            control_plane,
            worker_id,
            registration,
            self._volume,
            CatalogReporter(control_plane, worker_id, catalog),
        )
        self._paths, self._launcher = paths, launcher
        self._tracer = tracer
        self._control_plane, self._clock = control_plane, clock
        self._messages: SimpleQueue[AgentMessage] = SimpleQueue()
        self._running = RunningAttempts(
            registration.slots, on_end=lambda: self._messages.put(AttemptEnded())
        )
        self._availability = AvailabilityWatch(launcher, self._follow_machines, self._follow_hosts)
        self._claim_count = 0
        self._claims = Loop("claim", 0.0, self._claim_turn, log=_log)
        self._drain = AgentDrain(
            self._messages,
            self._running,
            stop_claims=self._claims.stop,
            stop_retries=stop_retries,
            on_drain=on_drain,
            clock=clock,
        )
        meter = GpuMeter(lambda: gpus.devices, clock)
        self._sampler = sampler = Sampler(paths.volume, meter, self._running.of_gpus, clock)
        self._gpus = GpuWatcher(
            gpus,
            launcher,
            discover=source.listing,
            try_torch=source.problems,
            in_use=self._running.of_gpus,
            on_change=self._take_gpus,
            clock=clock,
        )
        self._heartbeats = Heartbeats(
            control_plane,
            worker_id,
            self._running.all,
            on_forgotten=self._register_again,
            on_reply=self._take_reply,
            take_sample=sampler.take,
            clock=clock,
        )

    def drain(self) -> None:
        """What a signal handler calls: the first time drains, the second ends at once."""
        self._messages.put(Drain())

    def heartbeat_turns(self) -> int | None:
        """A count that grows every few seconds; None while a registration waits for the server."""
        return self._heartbeats.turns()

    def figures(self) -> AgentFigures:
        """What it does now; from any thread, and touching no volume."""
        running = self._running.all()
        return AgentFigures(
            attempts=len(running),
            free_slots=self._running.free_slots(),
            waiting_bytes=sum(attempt.event_bytes() for attempt in running),
            claims=self._claim_count,
            heartbeats_answered=self._heartbeats.answered,
            heartbeats_failed=self._heartbeats.failed,
            silence_seconds=self._heartbeats.silence_seconds(),
            sample=self._sampler.last,
        )

    def run(self) -> int:
        """The exit status: 0 once drained, 1 if the control plane would not have this worker."""
        self._sampler.start()
        self._gpus.start()
        self._availability.start()
        self._claims.start()
        status = self._drain.wait()
        self._launcher.close()
        try:
            gone = Gone(message="the worker was shut down")
            self._control_plane.report_gone(self._worker_id, gone)
        except ControlPlaneError as error:
            _log.warning("gone_not_sent", error=str(error))
        return status

    def _claim_turn(self) -> float:
        try:
            if not self._registrar.is_registered:
                self._registrar.register()
                self._heartbeats.start()
                self._registrar.is_registered = True
            if not self._wait_for_free_slot():
                return 0.0
            # After the wait, which may be long.
            if not self._volume.is_right():
                return _VOLUME_SECONDS
            return self._claim()
        except UnknownWorker:
            self._register_again()
            return 0.0
        except ControlPlaneError as error:
            self._claims.stop()
            self._messages.put(WorkerRefused(error))
            return 0.0

    def _register_again(self) -> None:
        # A worker that has reported its end must not be registered again.
        if not self._drain.has_begun or self._running.all():
            self._registrar.register()

    def _wait_for_free_slot(self) -> bool:
        """Wait a while; False if there is none yet, or if this worker is ending."""
        is_free = self._running.wait_for_slot(_VOLUME_SECONDS)
        if not is_free and not self._drain.has_begun:
            # A control plane drains a worker whose volume is another one until it is told better.
            self._volume.is_right()
        return is_free

    def _claim(self) -> float:
        """Claim and begin an attempt, if there is one; the seconds until the next claim."""
        request = ClaimRequest(
            worker_id=self._worker_id,
            request_id=new_id("req"),
            free_slots=self._running.free_slots(),
            free_gpus=self._launcher.free_gpus,
        )
        try:
            claim = self._control_plane.claim(request)
        except (UnknownWorker, Unauthorized):
            raise
        except Refused as error:
            _log.error("claim_refused", error=str(error))
            return _REFUSED_SECONDS
        if claim is not None:
            self._begin(claim)
        return 0.0

    def _begin(self, claim: Claim) -> None:
        self._claim_count += 1
        paths = replace(self._paths, volume_id=self._volume.expected.id)
        span = attempt_span(self._tracer, claim)
        if span is not None:
            # What the ranks do belongs to the attempt.
            claim = claim.model_copy(update={"traceparent": span.traceparent})
        attempt = Attempt(
            claim,
            paths,
            self._launcher,
            self._control_plane.report,
            self._clock,
            on_unusable_gpus=self._gpus.doubt,
        )
        # The claim may have waited at the control plane until after the machines were leaving.
        self._availability.refresh()
        self._running.begin(attempt, span)
        self._heartbeats.hasten()

    def _take_reply(self, reply: HeartbeatReply) -> None:
        self._running.pause("server", reply.drain)

    def _follow_machines(self, availability: Availability) -> None:
        self._running.pause("launcher", availability is not Availability.OPEN)
        if availability is Availability.ENDING:
            self._messages.put(MachinesLeave())

    def _follow_hosts(self, hosts: int) -> None:
        self._running.set_slots(hosts)
        if not self._drain.has_begun:
            self._registrar.change_hosts(hosts)

    def _take_gpus(self, gpus: tuple[Gpu, ...]) -> None:
        if not self._drain.has_begun:
            self._registrar.change_gpus(gpus)
