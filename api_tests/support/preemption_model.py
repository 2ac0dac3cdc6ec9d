"""Jobs that come, run and stop in any order on workers, and who is preempted for whom."""

from dataclasses import dataclass, field

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule

from api_tests.support.preemption_yard import a_capacity, a_queued_job, a_running_job
from service.domain.placement import Capacity, QueuedJob
from service.domain.preemption import Preemption, RunningJob, preemptions
from service.domain.reservations import gpus_beside, is_reserved_for_another, reservations

LEAST_SECONDS = 10
MOST_JOBS = 24
any_number = st.integers(0, 999)


@dataclass
class ModelJob:
    """A job; `worker` is None in the queue, and `asked` are the workers it has asked there.

    It needs `gpus`, may have `most_gpus`, and has `given` where it runs.
    """

    id: str
    priority: int
    gpus: int
    most_gpus: int
    preemptible: bool
    given: int = 0
    worker: str | None = None
    started: int = 0
    is_stopping: bool = False
    is_done: bool = False
    asked: set[str] = field(default_factory=set)
    first_asked: int = 0

    @property
    def key(self) -> tuple[int, str]:
        """Sorts as the queue is served."""
        return -self.priority, self.id


class PreemptionModel(RuleBasedStateMachine):
    """What must hold is asserted where it could break."""

    def __init__(self) -> None:
        super().__init__()
        self.time = 0
        self.workers = {"w1": (1, 0), "w2": (3, 4), "w3": (2, 4)}
        self.jobs: dict[str, ModelJob] = {}
        self.claimed: list[tuple[int, tuple[int, str]]] = []
        self.preempted: list[tuple[str, str]] = []

    @precondition(lambda self: len(self.jobs) < MOST_JOBS)
    @rule(
        priority=st.integers(-1, 2),
        gpus=st.integers(0, 4),
        more=st.sampled_from([0, 0, 1, 3]),
        preemptible=st.booleans(),
    )
    def submit(self, priority: int, gpus: int, more: int, preemptible: bool) -> None:
        job_id, most = f"job_{len(self.jobs):03d}", gpus + more if gpus else 0
        self.jobs[job_id] = ModelJob(job_id, priority, gpus, most, preemptible)

    @rule(seconds=st.sampled_from([1, LEAST_SECONDS]))
    def let_time_pass(self, seconds: int) -> None:
        self.time += seconds

    @rule(number=any_number)
    def claim(self, number: int) -> None:
        self.claim_on(sorted(self.workers)[number % len(self.workers)])

    @rule(number=any_number)
    def finish(self, number: int) -> None:
        if running := self.running():
            done = running[number % len(running)]
            done.is_done, done.worker = True, None

    @rule(number=any_number)
    def save_and_stop(self, number: int) -> None:
        if stopping := [each for each in self.running() if each.is_stopping]:
            self.stop(stopping[number % len(stopping)])

    @rule(number=any_number)
    def cancel_in_the_queue(self, number: int) -> None:
        if queued := self.queued():
            queued[number % len(queued)].is_done = True

    @rule()
    def decide(self) -> None:
        self.time += 1
        decided = preemptions(self.queue(), self.capacities(), self.running_jobs(), {})
        victims = [victim.id for each in decided for victim in each.victims]
        assert len(victims) == len(set(victims)), "a job is asked twice"
        for each in decided:
            self._is_right(each)
        for each in decided:
            self._ask(each)

    @rule()
    def let_all_that_were_asked_stop_and_all_workers_claim(self) -> None:
        for job in self.running():
            if job.is_stopping:
                self.stop(job)
        for worker in self.workers:
            while self.claim_on(worker):
                pass
        for job in self.queued():
            if job.asked:
                ahead = [each for each in self.queued() if each.key < job.key]
                since = [key for at, key in self.claimed if at >= job.first_asked]
                assert ahead or any(key < job.key for key in since), "preempted for nothing"

    def teardown(self) -> None:
        """Once nothing more comes, every job runs to its end, whoever was preempted."""
        for _ in range(4 * MOST_JOBS):
            self.time += LEAST_SECONDS
            self.decide()
            self.let_all_that_were_asked_stop_and_all_workers_claim()
            if running := self.running():
                first = min(running, key=lambda each: each.key)
                first.is_done, first.worker = True, None
        assert all(job.is_done for job in self.jobs.values())

    def _is_right(self, preemption: Preemption) -> None:
        job = self.jobs[preemption.job.id]
        assert preemption.victims
        assert preemption.worker_id not in job.asked, "asked again in one wait"
        for victim in preemption.victims:
            asked = self.jobs[victim.id]
            assert asked.worker == preemption.worker_id
            assert asked.preemptible
            assert not asked.is_stopping
            assert self.time - asked.started >= LEAST_SECONDS
            assert asked.priority < job.priority
            assert (job.id, asked.id) not in self.preempted, "a circle"
        if job is min(self.queued(), key=lambda each: each.key):
            self._is_no_more_than_needed(preemption)

    def _is_no_more_than_needed(self, preemption: Preemption) -> None:
        need = preemption.job.gpus
        for worker in self.workers:
            slots, gpus = self.room(worker, with_stopping=True)
            if need <= self.workers[worker][1]:
                assert slots < 1 or gpus < need, "there is a place"
        slots, gpus = self.room(preemption.worker_id, with_stopping=True)
        all_gpus = gpus + sum(victim.gpus for victim in preemption.victims)
        assert all_gpus >= need
        for victim in preemption.victims:
            others = slots + len(preemption.victims) - 1
            assert others < 1 or all_gpus - victim.gpus < need, "one more than is needed"

    def _ask(self, preemption: Preemption) -> None:
        job = self.jobs[preemption.job.id]
        job.first_asked = job.first_asked if job.asked else self.time
        job.asked.add(preemption.worker_id)
        for victim in preemption.victims:
            self.jobs[victim.id].is_stopping = True
            self.preempted.append((victim.id, job.id))

    def stop(self, job: ModelJob) -> None:
        job.worker, job.is_stopping = None, False

    def claim_on(self, worker: str) -> bool:
        """A claim of one worker, as the scheduler grants it; False if there is no job for it."""
        capacity = next(each for each in self.capacities() if each.worker.id == worker)
        if capacity.free_slots < 1:
            return False
        holder = reservations(self.queue(), self.capacities()).get(worker)
        for queued in sorted(self.queue(), key=lambda each: each.sort_key):
            if holder and is_reserved_for_another(queued, holder, capacity):
                continue
            if queued.gpus <= capacity.free_gpus:
                others = [each for each in self.queue() if each.id != queued.id]
                kept = reservations(others, self.capacities()).get(worker)
                given = gpus_beside(queued.needs, capacity, kept)
                if kept and given > queued.gpus:
                    assert capacity.free_gpus - given >= kept.gpus, "kept for another"
                self._start(self.jobs[queued.id], worker, capacity, given)
                return True
        return False

    def _start(self, job: ModelJob, worker: str, capacity: Capacity, given: int) -> None:
        for other in self.queued():
            if worker in other.asked and other.key < job.key:
                assert other.gpus, "a place is given to a job behind the one that asked for it"
                assert not job.gpus, "GPUs are given to a job behind the one that asked for them"
                assert capacity.free_slots >= 2
        job.worker, job.started, job.asked = worker, self.time, set()
        job.given = given
        assert job.gpus <= job.given <= max(job.most_gpus, job.gpus)
        self.claimed.append((self.time, job.key))

    def running(self) -> list[ModelJob]:
        return [each for each in self.jobs.values() if each.worker is not None]

    def queued(self) -> list[ModelJob]:
        return [each for each in self.jobs.values() if each.worker is None and not each.is_done]

    def queue(self) -> list[QueuedJob]:
        return [
            a_queued_job(
                each.id,
                priority=each.priority,
                gpus=each.gpus,
                most_gpus=each.most_gpus,
                asked=each.asked,
            )
            for each in self.queued()
        ]

    def running_jobs(self) -> list[RunningJob]:
        return [
            a_running_job(
                each.id,
                str(each.worker),
                priority=each.priority,
                gpus=each.given,
                ran=self.time - each.started,
                is_victim=each.preemptible and self.time - each.started >= LEAST_SECONDS,
                is_stopping=each.is_stopping,
            )
            for each in self.running()
        ]

    def room(self, worker: str, *, with_stopping: bool = False) -> tuple[int, int]:
        """Free slots and GPUs."""
        slots, gpus = self.workers[worker]
        on_it = [each for each in self.running() if each.worker == worker]
        held = [each for each in on_it if not (with_stopping and each.is_stopping)]
        return slots - len(held), gpus - sum(each.given for each in held)

    def capacities(self) -> list[Capacity]:
        rooms = {name: self.room(name) for name in self.workers}
        return [
            a_capacity(name, slots=slots, gpus=(self.workers[name][1], gpus))
            for name, (slots, gpus) in rooms.items()
        ]
