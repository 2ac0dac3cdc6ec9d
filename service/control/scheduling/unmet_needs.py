"""Why no worker that is there can run a job, however long it waits."""

from collections.abc import Iterable, Sequence

from service.contract.counts import count_text
from service.contract.workers import Worker
from service.domain.offers import JobNeeds
from service.domain.placement import Capacity, QueuedJob, has_labels


def unmet_needs(capacities: Sequence[Capacity], job: QueuedJob) -> str | None:
    """What the job needs that no worker has, with what the widest has; None if one can run it."""
    reason = _inability(capacities, job.needs, "no worker")
    if reason is not None:
        return reason
    labels = ", ".join(f"{key}={value}" for key, value in job.needs.labels.items())
    labelled = [each for each in capacities if has_labels(job.needs, each.worker)]
    if not labelled:
        return f"no worker has the labels {labels}"
    reason = _inability(labelled, job.needs, f"no worker with the labels {labels}")
    if reason is not None:
        return reason
    able = [each.worker for each in labelled if each.offer.can_run(job.needs)]
    hosts = job.needs.hosts
    with_hosts = [worker for worker in able if worker.hosts >= hosts]
    if not with_hosts:
        widest = max(able, key=lambda worker: (worker.hosts, worker.id))
        return (
            f"no worker stands for {hosts} hosts: the widest, {widest.host}, for {widest.hosts}, "
            "and it cannot start until a wider one comes; start one with a launcher for several, "
            "or submit the job with fewer"
        )
    return _narrowness(with_hosts, job.gpus, hosts)


def _inability(capacities: Iterable[Capacity], needs: JobNeeds, nobody: str) -> str | None:
    """Why none of some workers can run such a job; None if one can."""
    offers = [each.offer for each in capacities]
    if any(offer.can_run(needs) for offer in offers):
        return None
    if not any(needs.kind in (None, *offer.kinds) for offer in offers):
        return f"{nobody} runs jobs of the kind {needs.kind}"
    if not any(needs.data_forms <= offer.data_forms for offer in offers):
        forms = " and ".join(sorted(needs.data_forms))
        return f"{nobody} reads {forms} data: start one of a version that does"
    if any(offer.can_run(needs.in_any_form) for offer in offers):
        return f"{nobody} has the recipe {needs.recipe} in the form of this job"
    return f"{nobody} has the recipe {needs.recipe}"


def _narrowness(able: Sequence[Worker], gpus: int, hosts: int) -> str | None:
    """Why a job has too many GPUs on a host for each of some workers; None if it fits on one."""
    if max(worker.usable_gpu_count for worker in able) >= gpus:
        return None
    widest = max(able, key=lambda worker: (len(worker.gpus), worker.usable_gpu_count, worker.id))
    count, there = count_text(gpus, "GPU"), len(widest.gpus)
    nobody = "no worker" if hosts == 1 else f"no worker of {hosts} hosts"
    on_each = count if hosts == 1 else f"{count} on each"
    if there >= gpus:
        told = "; ".join(f"GPU {gpu.index}: {gpu.problem}" for gpu in widest.unusable_gpus)
        return f"{nobody} can give {count}: of the {there} of {widest.host}, {told}"
    then = "it cannot start until a wider one comes"
    if there == 0:
        return f"{nobody} has {on_each}: {then}"
    return f"{nobody} has {on_each}: the widest, {widest.host}, has {there}, and {then}"
