"""Which running jobs are asked to save and give their places to a queued one of higher priority."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from heapq import nlargest

from service.domain.placement import Capacity, QueuedJob, WorkerLocation, fits, may_try
from service.domain.reservations import is_reserved_for_another, reservations


@dataclass(frozen=True)
class RunningJob:
    """A job on a worker whose place may become free: `gpus` on each of `hosts`.

    `is_stopping`: it was asked to stop, by whomever. Only one that may be preempted `is_victim`.
    """

    id: str
    attempt: int
    worker_id: str
    queue_order: int
    gpus: int
    hosts: int
    ran_seconds: float
    is_stopping: bool = False
    is_victim: bool = False

    @property
    def cost_key(self) -> tuple[int, int, float, str]:
        """Sorts the cheapest first: the lowest priority, the fewest GPUs, the youngest attempt."""
        return -self.queue_order, self.size, self.ran_seconds, self.id

    @property
    def size(self) -> int:
        """Its GPUs, or its hosts where it has none."""
        return self.hosts * max(self.gpus, 1)


@dataclass(frozen=True)
class Preemption:
    """The `victims` on one worker whose places `job` needs; the cheapest first."""

    job: QueuedJob
    worker_id: str
    host: str
    victims: tuple[RunningJob, ...]


def preemptions(
    queue: Iterable[QueuedJob],
    capacities: Sequence[Capacity],
    running: Iterable[RunningJob],
    losses: Mapping[str, Sequence[WorkerLocation]],
) -> list[Preemption]:
    """Who is asked to give a place to whom.

    The queue is served in its order, in thought: each job takes a place that is free, or else one
    that becomes free soon, since a job was asked to stop. One that finds neither has others of
    strictly lower priority preempted on one worker: the fewest, of these the ones of the lowest
    priority, then with the fewest GPUs, then the youngest attempts. A job that waits asks once on a
    worker: where that did not help, asking again would not. `losses` are where the jobs' workers
    were lost, by job id.
    """
    ordered = sorted(queue, key=lambda each: each.sort_key)
    board = _Board(ordered, capacities, running)
    decided: list[Preemption] = []
    for job in ordered:
        if not board.is_any_outranked_by(job):
            # The next jobs have no higher priority.
            break
        places = board.places_for(job, losses.get(job.id, ()))
        place = _soonest(job, places)
        if place is not None:
            board.give(place, job)
            continue
        preemption = _cheapest(job, places)
        if preemption is not None:
            decided.append(preemption)
            board.preempt(preemption)
    return decided


class _Place:
    """A worker as it will be once the jobs ahead have been served."""

    def __init__(self, capacity: Capacity, running: Sequence[RunningJob]) -> None:
        stopping = [each for each in running if each.is_stopping]
        self.capacity = capacity
        self.victims = [each for each in running if each.is_victim and not each.is_stopping]
        self.soon = capacity
        self.add(stopping)

    def add(self, stopping: Sequence[RunningJob]) -> None:
        """These jobs will give their places back."""
        slots, gpus = sum(each.hosts for each in stopping), sum(map(self.gpus_of, stopping))
        self.soon = _changed(self.soon, slots, gpus)

    def take(self, job: QueuedJob) -> None:
        """The job will have its place here, of what is free first."""
        gpus = job.gpus if self._are_gpus_counted else 0
        self.soon = _changed(self.soon, -job.needs.hosts, -gpus)
        self.capacity = _changed(self.capacity, -job.needs.hosts, -gpus)

    def gpus_of(self, running: RunningJob) -> int:
        """How many of the worker's GPUs a job gives back."""
        return running.gpus if self._are_gpus_counted else 0

    @property
    def _are_gpus_counted(self) -> bool:
        # Of a worker that stands for several hosts, an attempt has its hosts to itself.
        return self.capacity.worker.hosts == 1


class _Board:
    """All workers, what is kept on them, and who is served already."""

    def __init__(
        self,
        ordered: Sequence[QueuedJob],
        capacities: Sequence[Capacity],
        running: Iterable[RunningJob],
    ) -> None:
        by_worker: dict[str, list[RunningJob]] = {}
        for each in running:
            by_worker.setdefault(each.worker_id, []).append(each)
        self._capacities = capacities
        self._places = {
            each.worker.id: _Place(each, by_worker.get(each.worker.id, ())) for each in capacities
        }
        self._kept = reservations(ordered, capacities)
        self._served: set[str] = set()

    def is_any_outranked_by(self, job: QueuedJob) -> bool:
        """Whether a job that may be preempted has a strictly lower priority."""
        return any(
            victim.queue_order > job.queue_order
            for place in self._places.values()
            for victim in place.victims
        )

    def places_for(self, job: QueuedJob, losses: Sequence[WorkerLocation]) -> list[_Place]:
        """The workers that may run the job, and that are not kept for a job ahead."""
        return [
            place
            for worker_id, place in self._places.items()
            if fits(job.needs, place.capacity)
            and may_try(job, losses, place.capacity.worker, self._capacities)
            and not self._is_kept(worker_id, job)
        ]

    def give(self, place: _Place, job: QueuedJob) -> None:
        """The job needs nothing more."""
        place.take(job)
        self._served.add(job.id)

    def preempt(self, preemption: Preemption) -> None:
        """The victims' places are the job's."""
        place = self._places[preemption.worker_id]
        place.victims = [each for each in place.victims if each not in preemption.victims]
        place.add(preemption.victims)
        self.give(place, preemption.job)

    def _is_kept(self, worker_id: str, job: QueuedJob) -> bool:
        holder = self._kept.get(worker_id)
        if holder is None or holder.id in {job.id, *self._served}:
            return False
        return is_reserved_for_another(job, holder, self._places[worker_id].capacity)


def _soonest(job: QueuedJob, places: Sequence[_Place]) -> _Place | None:
    """Where the job can start now, or else soon; the tightest such place."""
    now = [each for each in places if each.capacity.can_start(job.needs)]
    if now:
        return min(now, key=lambda each: (each.capacity.free_gpus, each.capacity.worker.id))
    soon = [each for each in places if each.soon.can_start(job.needs)]
    # Where others were preempted for it, if there is such a place: that room is its own.
    return min(
        soon,
        key=lambda each: (
            each.capacity.worker.id not in job.asked_workers,
            each.soon.free_gpus,
            each.capacity.worker.id,
        ),
        default=None,
    )


def _cheapest(job: QueuedJob, places: Sequence[_Place]) -> Preemption | None:
    choices = [
        Preemption(job, place.capacity.worker.id, place.capacity.worker.host, victims)
        for place in places
        if place.capacity.worker.id not in job.asked_workers
        and (victims := _victims(job, place)) is not None
    ]
    return min(choices, key=_cost, default=None)


def _cost(preemption: Preemption) -> tuple[int, list[int], int, float, str]:
    victims = preemption.victims
    priorities = sorted((-each.queue_order for each in victims), reverse=True)
    size = sum(each.size for each in victims)
    oldest = max(each.ran_seconds for each in victims)
    return len(victims), priorities, size, oldest, preemption.worker_id


def _victims(job: QueuedJob, place: _Place) -> tuple[RunningJob, ...] | None:
    """The fewest jobs whose places are enough for `job`, and of these the cheapest; or None."""
    outranked = [each for each in place.victims if each.queue_order > job.queue_order]
    outranked.sort(key=lambda each: each.cost_key)
    slots, gpus = job.needs.hosts - place.soon.free_slots, job.gpus - place.soon.free_gpus

    def are_enough(number: int, of: Sequence[RunningJob]) -> bool:
        # One of the two is the same for all: each takes one slot, or GPUs are not counted.
        most_slots = sum(nlargest(number, (each.hosts for each in of)))
        most_gpus = sum(nlargest(number, map(place.gpus_of, of)))
        return most_slots >= slots and most_gpus >= gpus

    number = next((n for n in range(1, len(outranked) + 1) if are_enough(n, outranked)), None)
    if number is None:
        return None
    chosen: list[RunningJob] = []
    for index, each in enumerate(outranked):
        left, others = number - len(chosen) - 1, outranked[index + 1 :]
        slots, gpus = slots - each.hosts, gpus - place.gpus_of(each)
        if 0 <= left <= len(others) and are_enough(left, others):
            chosen.append(each)
        else:
            slots, gpus = slots + each.hosts, gpus + place.gpus_of(each)
    return tuple(chosen)


def _changed(capacity: Capacity, slots: int, gpus: int) -> Capacity:
    return replace(
        capacity, free_slots=capacity.free_slots + slots, free_gpus=capacity.free_gpus + gpus
    )
