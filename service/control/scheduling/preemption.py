"""Running jobs are asked to save and give their places to queued ones of higher priority."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from sqlalchemy import Connection

from service.contract.jobs import JobState
from service.control.scheduling.forms import with_accepted_forms
from service.control.scheduling.scheduler import (
    BEFORE_EVERY_BACKOFF,
    capacities_of,
    loss_locations,
    queue_of,
)
from service.domain.placement import Capacity, QueuedJob
from service.domain.preemption import Preemption, RunningJob, preemptions
from service.store import history, jobs, limits, resource_classes, workers
from service.store import preemptions as store
from service.store.job_rows import StoredJob

_MOST_PAIRS = 500
"""Of urgent jobs and workers, which take some milliseconds."""


@dataclass(frozen=True)
class _Contenders:
    """Queued jobs that outrank a running one which may be preempted; the running ones."""

    queue: list[QueuedJob]
    running: list[RunningJob]

    @classmethod
    def read(cls, tx: Connection, least_seconds: float, now: datetime) -> "_Contenders":
        """Mostly two searches of an index, and nobody."""
        if not store.is_any_outranked(tx):
            return cls([], [])
        running = store.running_jobs(tx, least_seconds, now)
        orders = [each.queue_order for each in running if each.is_victim and not each.is_stopping]
        if not orders:
            return cls([], [])
        classes = resource_classes.of_queued_jobs(tx)
        queue = queue_of(tx, classes, limits.reached(tx).keys(), now)
        return cls([job for job in queue if job.queue_order < max(orders)], running)

    def preemptions(self, tx: Connection, capacities: Sequence[Capacity]) -> list[Preemption]:
        """Who gives a place to whom."""
        offers = [each.offer for each in capacities]
        read_network = partial(jobs.network_of, tx)
        queue = [with_accepted_forms(job, offers, read_network) for job in self.queue]
        losses = {job.id: loss_locations(tx, job) for job in queue if job.worker_losses}
        return preemptions(queue, capacities, self.running, losses)


def decide(tx: Connection, least_seconds: float, now: datetime) -> list[Preemption]:
    """Who is to be asked now; it only reads.

    No attempt is asked that has run for less than `least_seconds`.
    """
    contenders = _Contenders.read(tx, least_seconds, now)
    if not contenders.queue:
        return []
    return contenders.preemptions(tx, capacities_of(tx, workers.present(tx)))


def decide_without_age(tx: Connection, capacities: Sequence[Capacity]) -> dict[str, Preemption]:
    """By job id what `decide` comes to once all attempts have run for long enough; it only reads.

    An attempt that its worker has not begun yet is left out there, too. Nobody is decided on where
    that would take long, for each reader of a job asks.
    """
    contenders = _Contenders.read(tx, -math.inf, BEFORE_EVERY_BACKOFF)
    if len(contenders.queue) * len(capacities) > _MOST_PAIRS:
        return {}
    return {each.job.id: each for each in contenders.preemptions(tx, capacities)}


def carry_out(tx: Connection, decided: Sequence[Preemption], now: datetime) -> int:
    """Ask the victims of each decision whose jobs are still as they were; gives how many."""
    ids = {job_id for each in decided for job_id in _job_ids(each)}
    locked = {stored.job.id: stored for stored in jobs.lock_all(tx, ids)} if ids else {}
    return sum(_preempt(tx, each, locked, now) for each in decided if _still_holds(each, locked))


def _preempt(
    tx: Connection,
    preemption: Preemption,
    locked: Mapping[str, StoredJob],
    now: datetime,
) -> int:
    waiting = locked[preemption.job.id]
    with tx.begin_nested() as savepoint:
        # All or none: some alone would give their places for nothing.
        if not all(store.ask(tx, victim, waiting.job.id) for victim in preemption.victims):
            savepoint.rollback()
            return 0
    workers_asked = sorted({*waiting.asked_workers, preemption.worker_id})
    values = {"asked_workers": workers_asked}
    changed = jobs.change(tx, waiting.job.id, [JobState.QUEUED], values)
    assert changed, "the caller has locked a queued job"
    for victim in preemption.victims:
        _note(tx, waiting, victim, preemption.host, now)
    return len(preemption.victims)


def _note(tx: Connection, waiting: StoredJob, victim: RunningJob, host: str, now: datetime) -> None:
    priority, lower = waiting.job.spec.priority, -victim.queue_order
    of_victim = (
        f"preempted for {waiting.job.id} of priority {priority}: "
        "it saves, and goes back to the queue"
    )
    history.note(tx, victim.id, victim.attempt, "preemption", of_victim, now)
    of_waiting = f"waits for {victim.id} of priority {lower} to save on {host} and give its place"
    history.note(tx, waiting.job.id, None, "preemption", of_waiting, now)


def _still_holds(preemption: Preemption, locked: Mapping[str, StoredJob]) -> bool:
    """Whether nothing has changed since it was decided; the jobs are locked now."""
    waiting = locked.get(preemption.job.id)
    if waiting is None or waiting.job.state is not JobState.QUEUED:
        return False
    if waiting.asked_workers != preemption.job.asked_workers:
        return False
    return all(
        stored is not None
        and stored.job.state is JobState.RUNNING
        and stored.job.attempt == victim.attempt
        and stored.job.spec.preemptible
        and stored.job.spec.priority < waiting.job.spec.priority
        for victim in preemption.victims
        for stored in [locked.get(victim.id)]
    )


def _job_ids(preemption: Preemption) -> list[str]:
    return [preemption.job.id, *(victim.id for victim in preemption.victims)]
