"""What the routes and the server's own loops are given: database, settings, a clock, ids."""

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property

from service.contract.agent import Lease
from service.contract.loop import Loop
from service.contract.traces import Tracer
from service.control.access.credentials import Credentials
from service.control.jobs.grouped_submissions import (
    Outcome,
    SubmissionRequest,
    SubmittedJob,
    commit_group,
    is_database_outage,
)
from service.control.leases.reaper import LeaseTimeouts
from service.control.leases.samples import SampleBuffer
from service.control.leases.transitions import BackoffPolicy
from service.control.scheduling.state_counts import StateCounter
from service.control.webhooks.addresses import AddressGuard
from service.domain.webhooks import networks_of
from service.group_commit import GroupCommit
from service.metrics import ServerMetrics
from service.notifier import Notifier
from service.settings import Settings
from service.store.engine import Database
from service.volume.digests import FileDigests
from service.volume.identity import SharedVolume
from service.volume_limiter import VolumeLimiter

SERVER_HEARTBEAT = "server-heartbeat"
"""The loop that writes to the database every few seconds."""
GC = "gc"
"""The loop that removes folders from the volume."""
SWEEPS = "sweeps"
"""The loop that begins, judges and ends the trials of sweeps."""
WEBHOOKS = "webhooks"
"""The loop that sends messages to webhooks."""


@dataclass(frozen=True)
class AppContext:
    """Everything that a route or a loop may need and is not its own; `draw` gives 0 to 1."""

    settings: Settings
    database: Database
    now: Callable[[], datetime]
    new_id: Callable[[str], str]
    new_token: Callable[[], str]
    draw: Callable[[], float]
    new_secret: Callable[[], str] = lambda: secrets.token_urlsafe(32)
    """Gives 256 random bits as text."""
    volume_id: str | None = None
    """The identity of the volume, which the database has noted."""
    notifier: Notifier = field(default_factory=Notifier)
    volume_limiter: VolumeLimiter = field(default_factory=VolumeLimiter)
    file_digests: FileDigests = field(default_factory=FileDigests)
    samples: SampleBuffer = field(default_factory=SampleBuffer)
    tracer: Tracer | None = None
    """Makes the spans of this server, where traces are on."""
    metrics: ServerMetrics = field(default_factory=ServerMetrics)
    loops: list[Loop] = field(default_factory=list)
    """The server's own loops, whose turns and errors `GET /metrics` counts."""

    def __post_init__(self) -> None:
        self.database.add_observer(self.metrics.observe)

    @cached_property
    def state_counter(self) -> StateCounter:
        """Counts jobs and workers for `GET /metrics`."""
        return StateCounter(self.database)

    @cached_property
    def credentials(self) -> Credentials:
        """The tokens and sessions that this server accepts."""
        tokens = (self.settings.token, self.settings.worker_token)
        sent = (each.get_secret_value().encode() if each is not None else None for each in tokens)
        return Credentials(self.database, *sent, salt=self.volume_id or "")

    @cached_property
    def submissions(self) -> GroupCommit[SubmissionRequest, SubmittedJob]:
        """Stores submissions, those that come at the same time together."""
        return GroupCommit(self._submit_group, is_database_outage)

    def _submit_group(self, requests: Sequence[SubmissionRequest]) -> list[Outcome]:
        outcomes = commit_group(self.database, requests)
        self.notifier.notify()
        return outcomes

    @property
    def write_outage(self) -> str | None:
        """Why the database could not be written to a few seconds ago, if so."""
        outages = [loop.outage for loop in self.loops if loop.name == SERVER_HEARTBEAT]
        return next(iter(outages), None)

    def hasten_gc(self) -> None:
        """Have the folders of what was deleted be removed soon, where this process has the loop."""
        self._hasten(GC)

    def hasten_sweeps(self) -> None:
        """Have a sweep that was changed take its turn soon, where this process has the loop."""
        self._hasten(SWEEPS)

    def hasten_webhooks(self) -> None:
        """Have messages that are due be sent soon, where this process has the loop."""
        self._hasten(WEBHOOKS)

    def _hasten(self, name: str) -> None:
        for loop in self.loops:
            if loop.name == name:
                loop.hasten()

    @cached_property
    def address_guard(self) -> AddressGuard:
        """Says which addresses webhooks may have."""
        settings = self.settings
        return AddressGuard(networks_of(settings.webhook_networks), settings.webhook_http)

    def backoff_policy(self) -> BackoffPolicy:
        """How long a failed job waits before it is tried again; the jitter is drawn for each."""
        return BackoffPolicy(self.settings.retry_backoff_seconds, self.draw())

    @property
    def volume(self) -> SharedVolume:
        """The volume that all workers share."""
        return SharedVolume(self.settings.volume, self.volume_id)

    @property
    def lease(self) -> Lease:
        """How agents keep their leases."""
        settings = self.settings
        return Lease(
            heartbeat_seconds=settings.heartbeat_seconds,
            self_end_seconds=settings.self_end_seconds,
            kill_grace_seconds=settings.kill_grace_seconds,
            stall_seconds=settings.stall_seconds,
        )

    @property
    def lease_timeouts(self) -> LeaseTimeouts:
        """After how long a silence a lease is in doubt, and when it has run out."""
        settings = self.settings
        return LeaseTimeouts(
            settings.start_seconds, settings.unreachable_seconds, settings.reassign_seconds
        )
