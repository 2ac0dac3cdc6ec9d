"""Why a queued job waits, as a sentence."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache, partial

from sqlalchemy import Connection

from service.contract.counts import count_text
from service.contract.specs import SearchSpec
from service.contract.stored_specs import stored_parameters
from service.control.scheduling.forms import with_accepted_forms
from service.control.scheduling.preemption import decide_without_age
from service.control.scheduling.scheduler import (
    BEFORE_EVERY_BACKOFF,
    capacities_of,
    loss_locations,
    queue_of,
)
from service.control.scheduling.unmet_needs import unmet_needs
from service.domain.offers import JobNetwork
from service.domain.placement import Capacity, QueuedJob, fits, may_try
from service.domain.preemption import Preemption
from service.domain.reservations import is_reserved_for_another, reservations
from service.store import jobs, limits, preemptions, resource_classes, search_parts, workers
from service.store.job_rows import StoredJob

_MOST_NAMED = 3


@dataclass(frozen=True)
class QueueState:
    """Workers, limits and reservations at one moment: what queued jobs wait for."""

    any_worker: bool
    capacities: list[Capacity]
    at_limit: dict[tuple[str, str], int]
    reservations: dict[str, QueuedJob]
    preemptions_to_come: Callable[[], Mapping[str, Preemption]]
    """By job id who is asked for a place once all have run for a while; read when it is needed."""

    @classmethod
    def read(cls, tx: Connection) -> "QueueState":
        """The state that the database has now."""
        present = workers.present(tx)
        capacities = capacities_of(tx, present)
        wide = [each for each in resource_classes.of_queued_jobs(tx) if each.job_needs.is_wide]
        at_limit = limits.reached(tx)
        # A job in backoff reserves nothing.
        queue = queue_of(tx, wide, at_limit.keys(), BEFORE_EVERY_BACKOFF) if wide else []
        offers = [each.offer for each in capacities]
        read_network = partial(jobs.network_of, tx)
        queue = [with_accepted_forms(job, offers, read_network) for job in queue]
        to_come = cache(partial(decide_without_age, tx, capacities))
        return cls(bool(present), capacities, at_limit, reservations(queue, capacities), to_come)

    def wait_reason(self, tx: Connection, stored: StoredJob) -> str | None:
        """Why a queued job waits; None for one that is about to be claimed."""
        parts = _parts(tx, stored)
        if parts is not None:
            return parts
        if not self.capacities:
            return "no worker takes jobs now" if self.any_worker else "no worker is connected"
        job = stored.job
        queued = QueuedJob(job.id, -job.spec.priority, stored.needs, stored.worker_losses)
        offers = [each.offer for each in self.capacities]
        # What is shown was read whole: there may be many that wait.
        queued = with_accepted_forms(
            queued, offers, lambda _: JobNetwork(job.variant, stored_parameters(job.spec))
        )
        return (
            unmet_needs(self.capacities, queued)
            or ("it waits before its next try" if stored.not_before is not None else None)
            or self._limit(job.labels)
            or self._loss(tx, queued)
            or self._lack_of_capacity(queued, self._preempted(tx, stored))
        )

    def _preempted(self, tx: Connection, stored: StoredJob) -> str | None:
        """Which jobs save to give it their places."""
        if not stored.asked_workers:
            return None
        saving = preemptions.preempted_for(tx, stored.job.id)
        listed = " and ".join(f"{job_id} on {host}" for job_id, host in saving[:_MOST_NAMED])
        more = len(saving) - _MOST_NAMED
        others = f" and {more} more" if more > 0 else ""
        return f"it waits for {listed}{others} to save and give its place" if saving else None

    def _limit(self, labels: Mapping[str, str]) -> str | None:
        for key, value in labels.items():
            if (key, value) in self.at_limit:
                most = self.at_limit[key, value]
                return f"{key}={value} has {most} running, which is its limit"
        return None

    def _loss(self, tx: Connection, job: QueuedJob) -> str | None:
        if not job.worker_losses:
            return None
        losses = loss_locations(tx, job)
        ready = [each.worker for each in self._ready(job)]
        if ready and not any(may_try(job, losses, worker, self.capacities) for worker in ready):
            return f"it was lost on {losses[0].host}, and waits for another worker"
        return None

    def _lack_of_capacity(self, job: QueuedJob, preempted: str | None) -> str | None:
        ready = self._ready(job)
        holders = [
            holder
            for each in ready
            if (holder := self.reservations.get(each.worker.id)) is not None
            and is_reserved_for_another(job, holder, each)
        ]
        if ready and len(holders) == len(ready):
            what = "GPUs are" if job.gpus else "slot is"
            return f"the free {what} kept for {holders[0].id}, which is ahead of it"
        if ready:
            return None
        if preempted is not None:
            return preempted
        if (to_come := self.preemptions_to_come().get(job.id)) is not None:
            return _to_come(to_come)
        fitting = [each for each in self.capacities if fits(job.needs, each)]
        if job.gpus and any(each.free_slots for each in fitting):
            return f"no worker has {job.gpus} free {_gpu_noun(job.gpus)}"
        return "all workers are busy"

    def _ready(self, job: QueuedJob) -> list[Capacity]:
        return [
            each for each in self.capacities if fits(job.needs, each) and each.can_start(job.needs)
        ]


def _parts(tx: Connection, stored: StoredJob) -> str | None:
    """Which jobs measure for a search."""
    spec = stored.job.spec
    if not isinstance(spec, SearchSpec) or spec.params.workers == 1:
        return None
    parts = search_parts.states_of(tx, stored.job.id)
    waiting = [each for each in parts if each.state is None or each.is_live]
    if not waiting:
        return None
    named = [f"{each.job_id} ({each.state})" for each in waiting if each.state is not None]
    numbers = [each.number for each in waiting if each.is_live or not named]
    wanted = search_parts.count_wanted(tx, stored.job.id, numbers)
    candidates = count_text(wanted, "candidate")
    if not named:
        return f"it is about to give {candidates} to other jobs, which measure them"
    more = f" and {len(named) - _MOST_NAMED} more" if len(named) > _MOST_NAMED else ""
    some = ", ".join(named[:_MOST_NAMED])
    return f"it waits for {count_text(len(named), 'job')} to measure {candidates}: {some}{more}"


def _to_come(preemption: Preemption) -> str:
    """Which jobs give it their places: a moment later, or once they have run for long enough."""
    ids = [victim.id for victim in preemption.victims]
    more = f" and {len(ids) - _MOST_NAMED} more" if len(ids) > _MOST_NAMED else ""
    listed = " and ".join(ids[:_MOST_NAMED]) + more
    if len(ids) == 1:
        return (
            f"it waits for {listed} on {preemption.host}, which saves and gives its place once it "
            "has run for a while"
        )
    return (
        f"it waits for {listed} on {preemption.host}, which save and give their places once all "
        "have run for a while"
    )


def _gpu_noun(number: int) -> str:
    return "GPU" if number == 1 else "GPUs"
