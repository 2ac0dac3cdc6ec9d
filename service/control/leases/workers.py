"""Workers register, end, are drained and resumed."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from service.contract.jobs import LIVE_ATTEMPTS, Reason
from service.contract.registration import (
    Gone,
    Predecessor,
    Registration,
    RegistrationReply,
    ServerVolume,
    WorkerVolume,
)
from service.contract.workers import Worker, WorkerState
from service.control.leases.transitions import AttemptEnd, BackoffPolicy, end_attempt
from service.domain.errors import Conflict, NotFound
from service.domain.lifecycle import AttemptEvent
from service.store import attempts, audit, jobs, webhook_outbox
from service.store import workers as store
from service.store.measurements import measure
from service.volume.identity import difference


def register(
    tx: Connection, worker_id: str, registration: Registration, now: datetime
) -> RegistrationReply:
    """Store a worker; the reply names those of the same boot and pid namespace."""
    store.put(tx, worker_id, registration, now)
    predecessors = store.predecessors(tx, worker_id, registration.process)
    return RegistrationReply(
        neighbours=tuple(
            Predecessor(worker_id=id_, process=process) for id_, process in predecessors.items()
        )
    )


def compare_volume(
    tx: Connection,
    worker_id: str,
    volume: WorkerVolume,
    server_volume_id: str | None,
    now: datetime,
) -> ServerVolume:
    """Quarantine a worker whose volume is not the server's, until it is; raises NotFound.

    A server that does not know its volume's identity compares nothing.
    """
    worker = store.get(tx, worker_id, lock=True)
    if worker is None:
        raise NotFound("unknown_worker", f"worker {worker_id} must register (again)")
    before = store.volume_problem(tx, worker_id)
    problem = None
    if server_volume_id is not None and volume.id != server_volume_id:
        problem = f"{difference(volume.path, volume.id, server_volume_id)}: mount it"
    values: dict[str, Any] = {"volume_problem": problem}
    if problem is not None and worker.state in (WorkerState.ACTIVE, WorkerState.QUARANTINED):
        values |= {"state": WorkerState.QUARANTINED, "message": problem}
        if worker.state is WorkerState.ACTIVE:
            measure(tx, "quarantines", 1)
            webhook_outbox.put_quarantine(tx, worker_id, worker.host, problem, now)
    elif problem is None and before is not None and worker.state is WorkerState.QUARANTINED:
        values |= {"state": WorkerState.ACTIVE, "message": None}
    store.change(tx, worker_id, values)
    return ServerVolume(id=server_volume_id)


def end_worker(
    tx: Connection, worker_id: str, gone: Gone, *, backoff_policy: BackoffPolicy, now: datetime
) -> None:
    """Note that a worker has ended with all its processes: its jobs are requeued at once.

    Raises NotFound.
    """
    if store.get(tx, worker_id) is None:
        raise NotFound("unknown_worker", f"there is no worker {worker_id}")
    store.change(tx, worker_id, {"state": WorkerState.GONE, "message": gone.message or None})
    end = AttemptEnd(AttemptEvent.LOST, Reason.WORKER_LOST, gone.message or "its worker ended")
    for listed in attempts.live(tx, worker_id):
        job = jobs.get(tx, listed.attempt.job_id, lock=True)
        stored = attempts.get(tx, listed.attempt.job_id, listed.attempt.number)
        # Its last report may have come while we waited for the job, and the job may be deleted.
        if job is not None and stored is not None and stored.attempt.state in LIVE_ATTEMPTS:
            end_attempt(tx, job, stored.attempt, end, backoff_policy=backoff_policy, now=now)


def drain(tx: Connection, worker_id: str, now: datetime) -> None:
    """Have a worker finish what it runs and claim nothing new; raises NotFound, Conflict."""
    worker = _locked(tx, worker_id)
    if worker.state is not WorkerState.QUARANTINED:
        message = f"drain asked at {now:%Y-%m-%d %H:%M:%S}Z"
        store.change(tx, worker_id, {"state": WorkerState.DRAINING, "message": message})
        audit.note(tx, "worker.drain", worker_id, worker.host)


def resume(tx: Connection, worker_id: str, now: datetime) -> None:
    """Let a draining or quarantined worker claim again; raises NotFound, Conflict.

    Failures before this moment do not count towards a quarantine.
    """
    worker = _locked(tx, worker_id)
    problem = store.volume_problem(tx, worker_id)
    if problem is not None:
        raise Conflict("wrong_volume", f"{problem}; the worker goes on by itself then")
    if worker.state in (WorkerState.DRAINING, WorkerState.QUARANTINED):
        values = {"state": WorkerState.ACTIVE, "message": None, "trusted_at": now}
        store.change(tx, worker_id, values)
        audit.note(tx, "worker.resume", worker_id, worker.host)


def present(tx: Connection) -> list[Worker]:
    """The workers that have not ended, each with the jobs it runs."""
    return _with_jobs(store.present(tx), attempts.live_jobs(tx))


def ended(tx: Connection, limit: int) -> list[Worker]:
    """The workers that ended last, the last one first; at most `limit`."""
    return store.ended(tx, limit)


def get(tx: Connection, worker_id: str) -> Worker:
    """One worker with the jobs that it runs; raises NotFound."""
    worker = store.get(tx, worker_id)
    if worker is None:
        raise NotFound("no_such_worker", f"there is no worker {worker_id}")
    return _with_jobs([worker], attempts.live_jobs(tx, worker_id))[0]


def _locked(tx: Connection, worker_id: str) -> Worker:
    worker = store.get(tx, worker_id, lock=True)
    if worker is None:
        raise NotFound("no_such_worker", f"there is no worker {worker_id}")
    if worker.state in (WorkerState.LOST, WorkerState.GONE):
        raise Conflict("worker_ended", f"worker {worker_id} is {worker.state}")
    return worker


def _with_jobs(
    workers: Sequence[Worker], running: Sequence[tuple[str, str, str | None]]
) -> list[Worker]:
    jobs_of: dict[str, dict[str, str | None]] = {}
    for worker_id, job_id, name in running:
        jobs_of.setdefault(worker_id, {})[job_id] = name
    return [_with_named_jobs(worker, jobs_of.get(worker.id, {})) for worker in workers]


def _with_named_jobs(worker: Worker, names: Mapping[str, str | None]) -> Worker:
    named = {job_id: name for job_id, name in names.items() if name is not None}
    return worker.model_copy(update={"jobs": tuple(names), "job_names": named})
