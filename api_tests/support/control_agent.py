"""A worker of the control plane, by the use cases: what it asks, tells and reports."""

from datetime import UTC, datetime
from itertools import count
from typing import Any

from sqlalchemy import Connection

from api_tests.support.use_cases import PATIENCE, ControlPlane
from service.contract.agent import (
    Beat,
    BeatReply,
    Claim,
    ClaimRequest,
    Heartbeat,
    Lease,
    Report,
    ReportedEvent,
)
from service.contract.registration import (
    Gone,
    Gpu,
    ProcessIdentity,
    Registration,
    RegistrationReply,
)
from service.control.leases import claims, heartbeats, reports, workers

KERNEL = ProcessIdentity(boot_id="boot", pid_namespace="pid:[1]", pid=7, started_ticks=99)
LEASE = Lease(heartbeat_seconds=10, self_end_seconds=240, kill_grace_seconds=30, stall_seconds=1800)


class Agent:
    """A worker of the control plane."""

    def __init__(self, control_plane: ControlPlane, worker_id: str, **fields: Any) -> None:
        self.control_plane, self.id = control_plane, worker_id
        self.registration = Registration.model_validate(
            {"host": worker_id, "process": KERNEL, "slots": 4} | fields
        )
        self._requests = count(1)
        self.register()

    def register(self) -> RegistrationReply:
        """Say who one is."""
        with self.control_plane.write() as tx:
            return workers.register(tx, self.id, self.registration, self.control_plane.now)

    def claim(self, request_id: str | None = None, **capacity: int) -> Claim | None:
        """One try, without waiting."""
        request = ClaimRequest(
            worker_id=self.id,
            request_id=request_id or f"request-{next(self._requests)}",
            **{"free_gpus": len(self.registration.gpus)} | capacity,
        )
        token = f"token of {self.id} {request.request_id}"
        with self.control_plane.write() as tx:
            grant = claims.claim(tx, request, token=token, now=self.control_plane.now)
        if grant is None:
            return None
        with self.control_plane.database.read() as tx:
            return claims.claim_of(tx, grant, LEASE)

    def claimed(self, **capacity: int) -> Claim:
        """A claim that must find a job, and its first beat."""
        claim = self.claim(None, **capacity)
        assert claim is not None
        self.beat(claim)
        return claim

    def beat(self, claim: Claim, *events: ReportedEvent, purged: tuple[str, ...] = ()) -> BeatReply:
        """A heartbeat for one attempt."""
        return self.beat_for(beat_of(claim, events=events, purged=purged))[0]

    def beat_for(self, *beats: Beat) -> tuple[BeatReply, ...]:
        """A heartbeat for several."""
        heartbeat = Heartbeat(worker_id=self.id, beats=beats)
        with self.control_plane.write() as tx:
            return heartbeats.heartbeat(tx, heartbeat, self.control_plane.now).replies

    def report(
        self, claim: Claim, outcome: str = "succeeded", reason: str = "finished", **fields: Any
    ) -> BeatReply:
        """The end of an attempt."""
        with self.control_plane.write() as tx:
            return self.report_in(tx, claim, outcome, reason, **fields)

    def report_in(
        self,
        tx: Connection,
        claim: Claim,
        outcome: str = "succeeded",
        reason: str = "finished",
        **fields: Any,
    ) -> BeatReply:
        """The end of an attempt, in a transaction that does more."""
        report = Report.model_validate(
            {
                "job_id": claim.job_id,
                "attempt": claim.attempt,
                "token": claim.token,
                "outcome": outcome,
                "reason": reason,
            }
            | fields
        )
        return reports.end(
            tx, report, backoff_policy=PATIENCE, quick_seconds=60, now=self.control_plane.now
        )


def beat_of(claim: Claim, **fields: Any) -> Beat:
    """An attempt's share of a heartbeat."""
    return Beat(job_id=claim.job_id, attempt=claim.attempt, token=claim.token, **fields)


def an_event(seq: int, kind: str, **body: Any) -> ReportedEvent:
    """A line of an attempt's events."""
    at = datetime(2026, 1, 1, tzinfo=UTC)
    return ReportedEvent.model_validate({"seq": seq, "kind": kind, "at": at, "body": body})


def gpus(number: int) -> tuple[Gpu, ...]:
    """So many devices."""
    return tuple(Gpu(index=index, name="H100", memory_bytes=80) for index in range(number))


def say_gone(control_plane: ControlPlane, agent: Agent) -> None:
    """The agent says that its worker ends."""
    with control_plane.write() as tx:
        gone = Gone(message="killed")
        workers.end_worker(tx, agent.id, gone, backoff_policy=PATIENCE, now=control_plane.now)
