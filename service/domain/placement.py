"""Which worker a job may run on, and which is kept for it until it can."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from service.contract.workers import Worker
from service.domain.retry import LOSSES_BEFORE_POISON

_KEPT_AT_ONCE = 10


@dataclass(frozen=True)
class QueuedJob:
    """A queued job as far as its place matters; the lower `rank`, the sooner it is served."""

    id: str
    rank: int
    gpus: int
    needs: Mapping[str, str]
    losses: int

    @property
    def place(self) -> tuple[int, str]:
        """Sorts as the line is served: by priority, then by age."""
        return self.rank, self.id


@dataclass(frozen=True)
class Capacity:
    """What a worker has free."""

    worker: Worker
    free_slots: int
    free_gpus: int

    def has_now(self, gpus: int) -> bool:
        """Whether a job with so many GPUs could start at once."""
        return self.free_slots >= 1 and self.free_gpus >= gpus


def fits(needs: Mapping[str, str], gpus: int, worker: Worker) -> bool:
    """Whether an idle `worker` could run such a job."""
    labelled = all(worker.labels.get(key) == value for key, value in needs.items())
    return labelled and len(worker.gpus) >= gpus


def kept(line: Iterable[QueuedJob], rooms: Sequence[Capacity]) -> dict[str, QueuedJob]:
    """By worker the job for which its GPUs are kept: so no narrow job starves a wide one.

    Each job that fits nowhere now keeps the fitting worker that has most GPUs free; the first in
    line choose first.
    """
    found: dict[str, QueuedJob] = {}
    for job in sorted(line, key=lambda each: each.place):
        if job.gpus == 0:
            continue
        fitting = [room for room in rooms if fits(job.needs, job.gpus, room.worker)]
        if any(room.has_now(job.gpus) and room.worker.id not in found for room in fitting):
            continue
        left = [room for room in fitting if room.worker.id not in found]
        if left:
            nearest = max(left, key=lambda room: (room.free_gpus, room.free_slots, room.worker.id))
            found[nearest.worker.id] = job
        if len(found) >= _KEPT_AT_ONCE:
            break
    return found


def is_kept_from(job: QueuedJob, keeper: QueuedJob, room: Capacity) -> bool:
    """Whether a room is kept for another one ahead: its GPUs, and one slot beside them."""
    return keeper.place < job.place and (job.gpus > 0 or room.free_slots < 2)


@dataclass(frozen=True)
class WorkerLocation:
    """A worker, and the machine that it is on."""

    worker_id: str
    host: str


def may_try(
    job: QueuedJob, lost_on: Collection[WorkerLocation], worker: Worker, rooms: Sequence[Capacity]
) -> bool:
    """Whether `worker` may have a job's last try before it is poison.

    It goes to another machine than the one where all before were lost, or at least to another
    worker, as long as there is one that fits.
    """
    if job.losses < LOSSES_BEFORE_POISON - 1 or not lost_on:
        return True
    fitting = [room.worker for room in rooms if fits(job.needs, job.gpus, room.worker)]
    hosts = {place.host for place in lost_on}
    if len(hosts) > 1:
        return True
    if any(other.host not in hosts for other in fitting):
        return worker.host not in hosts
    ids = {place.worker_id for place in lost_on}
    if len(ids) == 1 and any(other.id not in ids for other in fitting):
        return worker.id not in ids
    return True
