"""Which of the queued jobs a worker is given."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from functools import partial

from sqlalchemy import Connection

from service.contract.workers import Worker, WorkerState
from service.control.scheduling import catalogs
from service.control.scheduling.forms import with_accepted_forms
from service.domain.placement import Capacity, QueuedJob, WorkerLocation, fits, may_try
from service.domain.reservations import gpus_beside, is_reserved_for_another, reservations
from service.store import attempts, jobs, limits, resource_classes, workers
from service.store.job_rows import StoredJob
from service.store.resource_classes import ResourceClass

BEFORE_EVERY_BACKOFF = datetime(1, 1, 1, tzinfo=UTC)
"""The moment to read a queue without jobs in backoff: the reaper clears a backoff that is over."""
_JOBS_PER_CLASS = 100


def lock_first_job(tx: Connection, capacity: Capacity, now: datetime) -> StoredJob | None:
    """The first job of the queue that the worker may have now, locked for this transaction."""
    for candidate in eligible_jobs(tx, capacity, now):
        locked = resource_classes.lock_job(tx, candidate.id, now)
        if locked is not None and _is_within_limits(tx, locked.job.labels):
            return locked
    return None


def gpus_given(tx: Connection, job: StoredJob, capacity: Capacity, now: datetime) -> int:
    """How many GPUs on each host a job has that the worker is given now: as many as it may."""
    if job.needs.gpus_within(capacity.free_gpus) == job.needs.gpus:
        return job.needs.gpus
    wide = [each for each in resource_classes.of_queued_jobs(tx) if each.job_needs.is_wide]
    queue = queue_of(tx, wide, limits.reached(tx).keys(), now)
    others = [each for each in queue if each.id != job.job.id]
    kept = _reservations(tx, others, _capacities_with(tx, capacity))
    return gpus_beside(job.needs, capacity, kept.get(capacity.worker.id))


def eligible_jobs(tx: Connection, capacity: Capacity, now: datetime) -> Iterator[QueuedJob]:
    """The jobs that the worker may have now, in the order of the queue; nothing is locked."""
    if capacity.free_slots < 1:
        return
    worker, offers = capacity.worker, [capacity.offer]
    read_network = partial(jobs.network_of, tx)
    classes = [
        each
        for each in resource_classes.of_queued_jobs(tx)
        if fits(each.job_needs.in_any_form, capacity)
    ]
    queue = queue_of(tx, classes, limits.reached(tx).keys(), now)
    capacities: list[Capacity] | None = None
    holder: QueuedJob | None = None
    for job in queue:
        # Most claims need no look at the other workers.
        if capacities is None and (job.worker_losses or not capacity.can_start(job.needs)):
            capacities = _capacities_with(tx, capacity)
            offers = [capacity.offer, *(each.offer for each in capacities)]
            holder = _reservations(tx, queue, capacities).get(worker.id)
        job = with_accepted_forms(job, offers, read_network)
        if holder is not None and is_reserved_for_another(job, holder, capacity):
            continue
        if job.worker_losses:
            losses = loss_locations(tx, job)
            if not may_try(job, losses, worker, capacities or []):
                continue
        if capacity.can_start(job.needs) and fits(job.needs, capacity):
            yield job


def capacities_of(tx: Connection, present: Iterable[Worker]) -> list[Capacity]:
    """What each active worker has free, as far as the database knows."""
    usage = attempts.usage(tx)
    return [
        Capacity(
            worker,
            catalogs.offer_of(tx, worker),
            free_slots=worker.slots - slots,
            # Of a worker that stands for several hosts, an attempt has its hosts to itself.
            free_gpus=max(worker.usable_gpu_count - (gpus if worker.hosts == 1 else 0), 0),
        )
        for worker in present
        if worker.state is WorkerState.ACTIVE
        for slots, gpus in [usage.get(worker.id, (0, 0))]
    ]


def queue_of(
    tx: Connection,
    classes: Iterable[ResourceClass],
    at_limit: Collection[tuple[str, str]],
    now: datetime,
) -> list[QueuedJob]:
    """The first jobs of some resource classes, in the order of the queue."""
    candidates = [
        job
        for each in classes
        for job in resource_classes.first_jobs(
            tx, each, at_limit=at_limit, now=now, limit=_JOBS_PER_CLASS
        )
    ]
    return sorted(candidates, key=lambda job: job.sort_key)


def loss_locations(tx: Connection, job: QueuedJob) -> list[WorkerLocation]:
    """Where the job's workers were lost since its last new checkpoint, the newest first."""
    return [
        WorkerLocation(*location)
        for location in attempts.loss_locations(tx, job.id, job.worker_losses)
    ]


def _capacities_with(tx: Connection, capacity: Capacity) -> list[Capacity]:
    """What each active worker has free; of one it is known better than the database has it."""
    all_workers = capacities_of(tx, workers.present(tx))
    return [capacity if each.worker.id == capacity.worker.id else each for each in all_workers]


def _reservations(
    tx: Connection, queue: Iterable[QueuedJob], capacities: list[Capacity]
) -> dict[str, QueuedJob]:
    """By worker id the job of the queue that it is kept for."""
    offers = [each.offer for each in capacities]
    read_network = partial(jobs.network_of, tx)
    wide = [with_accepted_forms(each, offers, read_network) for each in queue if each.needs.is_wide]
    return reservations(wide, capacities)


def _is_within_limits(tx: Connection, labels: Mapping[str, str]) -> bool:
    # Read again with the limits locked: another server's claim may have reached one.
    if not labels or not limits.lock(tx, list(labels)):
        return True
    return not limits.reached(tx).keys() & labels.items()
