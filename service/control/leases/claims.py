"""The begin of an attempt: a worker claims a job. A claim may be sent twice."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection

from service.contract.agent import Claim, ClaimRequest, Lease
from service.contract.candidates import Fitness
from service.contract.counts import count_text
from service.contract.jobs import LIVE_ATTEMPTS, Attempt, AttemptState, Job, JobState
from service.contract.specs import NetworkSpec, SearchSpec
from service.contract.stored_specs import UnreadableSpec
from service.contract.workers import Worker, WorkerState
from service.control.leases.transitions import fail_unreadable
from service.control.scheduling import catalogs
from service.control.scheduling.scheduler import eligible_jobs, gpus_given, lock_first_job
from service.domain.errors import NotFound
from service.domain.lifecycle import JobEvent, move_job
from service.domain.placement import Capacity
from service.store import attempts, candidates, checkpoints, history, jobs, workers
from service.store.job_rows import StoredJob
from service.store.measurements import measure

_RESUMABLE = 5


@dataclass(frozen=True)
class Grant:
    """The attempt that a claim began; its `token` proves that a worker has the lease.

    `by_older_worker` is whether the worker sends no catalog, so that the parameters it knows are
    not known. `gpus` is how many it has on each host; None is as the job's spec says.
    """

    job_id: str
    attempt: int
    token: str
    gpus: int | None = None
    by_older_worker: bool = False


def claim(tx: Connection, request: ClaimRequest, *, token: str, now: datetime) -> Grant | None:
    """Give the worker the first job of the queue that it can run; None if there is none.

    The same request gives the same grant again while its attempt is live. Raises NotFound for a
    worker that is not registered (any more).
    """
    state = workers.record_contact(tx, request.worker_id, now)
    worker = workers.get(tx, request.worker_id)
    if worker is None or state in (WorkerState.LOST, WorkerState.GONE):
        raise NotFound("unknown_worker", f"worker {request.worker_id} must register (again)")
    earlier = attempts.of_request(tx, request.worker_id, request.request_id)
    if earlier is not None:
        live = earlier.attempt.state in LIVE_ATTEMPTS
        return _grant(earlier.attempt, earlier.token, worker) if live else None
    if state is not WorkerState.ACTIVE:
        return None
    capacity = _capacity(tx, worker, request)
    job = _lock_first_readable(tx, capacity, now)
    if job is None:
        return None
    attempt = Attempt(
        job_id=job.job.id,
        number=job.job.attempt + 1,
        worker_id=worker.id,
        state=AttemptState.CLAIMED,
        created_at=now,
        gpu_count=gpus_given(tx, job, capacity, now),
    )
    attempts.add(tx, attempt, token=token, request_id=request.request_id)
    values = {
        "state": move_job(job.job.state, JobEvent.CLAIMED),
        "attempt": attempt.number,
        "started_at": job.job.started_at or now,
        "not_before": None,
        "asked_workers": None,
    }
    changed = jobs.change(tx, job.job.id, [JobState.QUEUED], values)
    assert changed, "the scheduler has locked a queued job"
    measure(tx, "claims", 1, job.job.kind)
    if attempt.number == 1:
        measure(tx, "queue_wait_seconds", _seconds(now - job.job.created_at), job.job.kind)
    history.note(tx, job.job.id, attempt.number, "claimed", _message(job, attempt, worker), now)
    return _grant(attempt, token, worker)


def claim_of(tx: Connection, grant: Grant, lease: Lease) -> Claim | None:
    """What a worker needs to run an attempt: spec, lease, checkpoints.

    None for a job whose spec cannot be read: a newer server gave it, and what its worker does not
    start returns to the queue.
    """
    job = jobs.get(tx, grant.job_id)
    if job is None or isinstance(job.job.spec, UnreadableSpec):
        return None
    # An older worker would refuse a field that it does not know; none needs these.
    spec = job.job.spec.model_copy(update={"preemptible": False})
    if isinstance(spec, NetworkSpec):
        spec = spec.model_copy(update={"search": None})
    if spec.resources.gpu_range is not None and grant.gpus is not None:
        spec = spec.model_copy(update={"resources": spec.resources.with_gpus(grant.gpus)})
    if grant.by_older_worker:
        # It knows neither a parameter nor a default that came later, and has its own defaults.
        spec = catalogs.without_builtin_defaults(spec)
    source = job.source_checkpoint
    resume = [c for c in checkpoints.published_of(tx, grant.job_id) if c.phase != "final"]
    return Claim(
        job_id=grant.job_id,
        attempt=grant.attempt,
        token=grant.token,
        spec=spec,
        lease=lease,
        resume=tuple(resume[:_RESUMABLE]),
        weights=checkpoints.get(tx, source) if source is not None else None,
        candidates=_known_fitness(tx, job.job),
    )


def has_eligible_job(tx: Connection, request: ClaimRequest, now: datetime) -> bool:
    """Whether a claim could find a job: it only reads, so those who wait ask this first.

    True for a worker that is not registered: its claim is refused.
    """
    worker = workers.get(tx, request.worker_id)
    if worker is None:
        return True
    return next(eligible_jobs(tx, _capacity(tx, worker, request), now), None) is not None


def _capacity(tx: Connection, worker: Worker, request: ClaimRequest) -> Capacity:
    offer = catalogs.offer_of(tx, worker)
    return Capacity(worker, offer, request.free_slots, request.free_gpus)


def _lock_first_readable(tx: Connection, capacity: Capacity, now: datetime) -> StoredJob | None:
    while (job := lock_first_job(tx, capacity, now)) is not None:
        if not isinstance(job.job.spec, UnreadableSpec):
            return job
        fail_unreadable(tx, job, job.job.spec.problem, now)
    return None


def _known_fitness(tx: Connection, job: Job) -> tuple[Fitness, ...]:
    spec = job.spec
    if not isinstance(spec, SearchSpec):
        return ()
    # What the search itself has measured is in its table, and stays.
    measured_by = [job.id] if spec.params.known is None else [job.id, spec.params.known]
    return tuple(candidates.fitness_of(tx, measured_by))


def _seconds(waited: timedelta) -> float:
    return max(waited.total_seconds(), 0.0)


def _message(job: StoredJob, attempt: Attempt, worker: Worker) -> str:
    resources = job.job.spec.resources
    if resources.gpu_range is None or attempt.gpu_count is None:
        return f"claimed by {worker.host}"
    given = count_text(attempt.gpu_count, "GPU")
    each = " on each host" if resources.hosts > 1 else ""
    return f"claimed by {worker.host} with {given}{each}, of {resources.gpu_range} that it may have"


def _grant(attempt: Attempt, token: str, worker: Worker) -> Grant:
    by_older_worker = worker.catalog_digest is None
    return Grant(attempt.job_id, attempt.number, token, attempt.gpu_count, by_older_worker)
