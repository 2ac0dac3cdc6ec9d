"""Which worker a queued job may run on."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from service.contract.workers import Worker
from service.domain.offers import JobNeeds, Offer
from service.domain.retry import WORKER_LOSSES_BEFORE_POISON


@dataclass(frozen=True)
class QueuedJob:
    """What scheduling knows of a queued job; the lower `queue_order`, the sooner it runs.

    `asked_workers` are the ids of those on which jobs were preempted for it since it was queued.
    """

    id: str
    queue_order: int
    needs: JobNeeds
    worker_losses: int
    asked_workers: frozenset[str] = frozenset()

    @property
    def gpus(self) -> int:
        """How many GPUs it needs on each of its hosts."""
        return self.needs.gpus

    @property
    def sort_key(self) -> tuple[int, str]:
        """Sorts as the queue is served: by priority, then by age."""
        return self.queue_order, self.id


@dataclass(frozen=True)
class Capacity:
    """What a worker has free, and what it offers to run."""

    worker: Worker
    offer: Offer
    free_slots: int
    free_gpus: int

    def can_start(self, needs: JobNeeds) -> bool:
        """Whether a job that needs no more could start at once."""
        return self.free_slots >= needs.hosts and self.free_gpus >= needs.gpus


@dataclass(frozen=True)
class WorkerLocation:
    """A worker, and the machine that it is on."""

    worker_id: str
    host: str


def fits(needs: JobNeeds, capacity: Capacity) -> bool:
    """Whether the worker could run such a job if it were idle."""
    worker = capacity.worker
    return (
        has_labels(needs, worker)
        and worker.hosts >= needs.hosts
        and worker.usable_gpu_count >= needs.gpus
        and capacity.offer.can_run(needs)
    )


def has_labels(needs: JobNeeds, worker: Worker) -> bool:
    """Whether a worker has the labels that a job asks for."""
    return all(worker.labels.get(key) == value for key, value in needs.labels.items())


def may_try(
    job: QueuedJob,
    losses: Collection[WorkerLocation],
    worker: Worker,
    capacities: Sequence[Capacity],
) -> bool:
    """Whether `worker` may have a job's last try before it is poison.

    The last try goes to another machine than the one where all `losses` were, or at least to
    another worker, as long as there is one that fits.
    """
    if job.worker_losses < WORKER_LOSSES_BEFORE_POISON - 1 or not losses:
        return True
    fitting = [each.worker for each in capacities if fits(job.needs, each)]
    hosts = {location.host for location in losses}
    if len(hosts) > 1:
        return True
    if any(other.host not in hosts for other in fitting):
        return worker.host not in hosts
    ids = {location.worker_id for location in losses}
    if len(ids) == 1 and any(other.id not in ids for other in fitting):
        return worker.id not in ids
    return True
