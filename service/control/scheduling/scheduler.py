"""Which of the queued jobs a worker is given, and what the others wait for."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import Connection

from service.contract.workers import Worker, WorkerState
from service.domain.placement import (
    Capacity,
    QueuedJob,
    WorkerLocation,
    fits,
    is_kept_from,
    kept,
    may_try,
)
from service.store import attempts, limits, resource_classes, workers
from service.store.jobs import StoredJob
from service.store.resource_classes import ResourceClass

_LOOKED_AT = 100
_NEVER = datetime(1, 1, 1, tzinfo=UTC)


def first_for(tx: Connection, asking: Capacity, now: datetime) -> StoredJob | None:
    """The first job in line that the worker may have now, held for it."""
    for waiting in line_for(tx, asking, now):
        held = resource_classes.hold(tx, waiting.id, now)
        if held is not None and _within_limits(tx, held.job.labels):
            return held
    return None


def line_for(tx: Connection, asking: Capacity, now: datetime) -> Iterator[QueuedJob]:
    """The jobs that the worker may have now, the first in line first; nothing is held."""
    if asking.free_slots < 1:
        return
    worker = asking.worker
    lanes = [lane for lane in resource_classes.lanes(tx) if fits(lane.labels, lane.gpus, worker)]
    line = _merged(tx, lanes, list(limits.full(tx)), now)
    rooms: list[Capacity] | None = None
    keeper: QueuedJob | None = None
    for job in line:
        if rooms is None and (job.losses or job.gpus > asking.free_gpus):
            others = rooms_of(tx, workers.there(tx))
            rooms = [asking if each.worker.id == worker.id else each for each in others]
            keeper = kept(line, rooms).get(worker.id)
        if keeper is not None and is_kept_from(job, keeper, asking):
            continue
        if job.losses and not may_try(job, _lost_on(tx, job), worker, rooms or []):
            continue
        if job.gpus <= asking.free_gpus:
            yield job


def rooms_of(tx: Connection, there: Iterable[Worker]) -> list[Capacity]:
    """What each worker that may be given jobs has free, by the control plane's account."""
    used = attempts.usage(tx)
    return [
        Capacity(worker, worker.slots - slots, len(worker.gpus) - gpus)
        for worker in there
        if worker.state is WorkerState.ACTIVE
        for slots, gpus in [used.get(worker.id, (0, 0))]
    ]


def _within_limits(tx: Connection, labels: Mapping[str, str]) -> bool:
    # Looked at again with the limits held: another server may have given the last place away.
    if not labels or not limits.hold(tx, list(labels)):
        return True
    return not limits.full(tx).keys() & labels.items()


def _merged(
    tx: Connection, lanes: Iterable[ResourceClass], full: list[tuple[str, str]], now: datetime
) -> list[QueuedJob]:
    found = [
        job
        for lane in lanes
        for job in resource_classes.heads(tx, lane, full=full, now=now, limit=_LOOKED_AT)
    ]
    return sorted(found, key=lambda job: job.place)


@dataclass(frozen=True)
class QueueState:
    """What there is for those in the line, at one moment."""

    there: bool
    rooms: list[Capacity]
    full: dict[tuple[str, str], int]
    kept: dict[str, QueuedJob]

    @classmethod
    def of(cls, tx: Connection) -> "QueueState":
        """As the database has it."""
        there = workers.there(tx)
        rooms = rooms_of(tx, there)
        wide = [lane for lane in resource_classes.lanes(tx) if lane.gpus]
        full = limits.full(tx)
        # Who waits after a failure is in nobody's way; the reaper says when that is over.
        line = _merged(tx, wide, list(full), _NEVER) if wide else []
        return cls(bool(there), rooms, full, kept(line, rooms))

    def wait_reason(self, tx: Connection, stored: StoredJob) -> str | None:
        """Why a queued job waits; None for one that is about to be claimed."""
        job, needs = stored.job, stored.job.spec.resources
        waiting = QueuedJob(job.id, -job.spec.priority, needs.gpus, needs.labels, stored.losses)
        if not self.rooms:
            return "no worker takes jobs now" if self.there else "no worker is connected"
        return (
            self._needs_unmet(waiting)
            or ("it waits before its next try" if stored.not_before is not None else None)
            or self._limit_reached(job.labels)
            or self._elsewhere(tx, waiting)
            or self._no_room(waiting)
        )

    def _needs_unmet(self, job: QueuedJob) -> str | None:
        labelled = [room.worker for room in self.rooms if fits(job.needs, 0, room.worker)]
        if not labelled:
            asked = ", ".join(f"{key}={value}" for key, value in job.needs.items())
            return f"no worker has the labels {asked}"
        if max(len(worker.gpus) for worker in labelled) < job.gpus:
            return f"no worker has {_gpus(job.gpus)}"
        return None

    def _limit_reached(self, labels: Mapping[str, str]) -> str | None:
        for key, value in labels.items():
            if (key, value) in self.full:
                most = self.full[key, value]
                return f"{key}={value} has {most} running, which is its limit"
        return None

    def _elsewhere(self, tx: Connection, job: QueuedJob) -> str | None:
        if not job.losses:
            return None
        lost_on = _lost_on(tx, job)
        ready = [room.worker for room in self._ready(job)]
        if ready and not any(may_try(job, lost_on, worker, self.rooms) for worker in ready):
            return f"it was lost on {lost_on[0].host}, and waits for another worker"
        return None

    def _no_room(self, job: QueuedJob) -> str | None:
        ready = self._ready(job)
        keepers = [self.kept.get(room.worker.id) for room in ready]
        by = [k for k, room in zip(keepers, ready, strict=True) if k and is_kept_from(job, k, room)]
        if ready and len(by) == len(ready):
            what = "GPUs are" if job.gpus else "slot is"
            return f"the free {what} kept for {by[0].id}, which is ahead of it"
        if ready:
            return None
        fitting = [room for room in self.rooms if fits(job.needs, job.gpus, room.worker)]
        if job.gpus and any(room.free_slots for room in fitting):
            return f"no worker has {job.gpus} free {'GPU' if job.gpus == 1 else 'GPUs'}"
        return "all workers are busy"

    def _ready(self, job: QueuedJob) -> list[Capacity]:
        return [
            room
            for room in self.rooms
            if fits(job.needs, job.gpus, room.worker) and room.has_now(job.gpus)
        ]


def _lost_on(tx: Connection, job: QueuedJob) -> list[WorkerLocation]:
    return [WorkerLocation(*found) for found in attempts.lost_on(tx, job.id, job.losses)]


def _gpus(number: int) -> str:
    return f"{number} {'GPU' if number == 1 else 'GPUs'}"
