"""Which worker is reserved for which wide job, so that narrow jobs do not starve it."""

from collections.abc import Iterable, Sequence

from service.domain.offers import JobNeeds
from service.domain.placement import Capacity, QueuedJob, fits

_MOST_RESERVATIONS = 10


def reservations(
    queue: Iterable[QueuedJob], capacities: Sequence[Capacity]
) -> dict[str, QueuedJob]:
    """By worker id the job for which its GPUs are reserved.

    Each job that can start nowhere now reserves the fitting worker that has most GPUs free; one for
    which others are preempted reserves their workers until it runs. The first in the queue choose
    first.
    """
    reserved: dict[str, QueuedJob] = {}
    nearest_count = 0
    for job in sorted(queue, key=lambda each: each.sort_key):
        if not job.needs.is_wide or (not job.asked_workers and nearest_count >= _MOST_RESERVATIONS):
            continue
        fitting = [each for each in capacities if fits(job.needs, each)]
        unreserved = [each for each in fitting if each.worker.id not in reserved]
        asked = {each.worker.id: job for each in unreserved if each.worker.id in job.asked_workers}
        if asked:
            reserved |= asked
            continue
        if nearest_count >= _MOST_RESERVATIONS:
            continue
        if any(each.can_start(job.needs) for each in unreserved):
            continue
        if unreserved:
            nearest = max(
                unreserved, key=lambda each: (each.free_gpus, each.free_slots, each.worker.id)
            )
            reserved[nearest.worker.id] = job
            nearest_count += 1
    return reserved


def is_reserved_for_another(job: QueuedJob, holder: QueuedJob, capacity: Capacity) -> bool:
    """Whether `holder` is ahead of `job`, and the reservation takes what `job` would use.

    A reservation covers the worker's GPUs and the slots that `holder` takes, one for each host.
    """
    slots = holder.needs.hosts + job.needs.hosts
    return holder.sort_key < job.sort_key and (job.gpus > 0 or capacity.free_slots < slots)


def gpus_beside(needs: JobNeeds, capacity: Capacity, holder: QueuedJob | None) -> int:
    """How many GPUs on each host a job is given that starts on the worker kept for `holder`.

    As many as it may have of those that `holder` does not need; and of what is gathered for that
    one no more than the job needs at least. Without a `holder`, as many as it may have.
    """
    # Of a worker that stands for several hosts, an attempt has its hosts to itself.
    kept = holder.gpus if holder is not None and capacity.worker.hosts == 1 else 0
    return needs.gpus_within(capacity.free_gpus - kept)
