"""Workers: who is there, and who is gone."""

from datetime import datetime

from sqlalchemy import Connection

from service.contract.agent import Gone, Predecessor, Registration, RegistrationReply
from service.contract.jobs import LIVE_ATTEMPTS, Reason
from service.contract.workers import Worker, WorkerState
from service.control.leases.transitions import AttemptEnd, BackoffPolicy, end_attempt
from service.domain.errors import Conflict, NotFound
from service.domain.lifecycle import AttemptEvent
from service.store import attempts, jobs
from service.store import workers as store


def register(
    tx: Connection, worker_id: str, said: Registration, now: datetime
) -> RegistrationReply:
    """Note a worker, and name those of the same kernel and pid namespace that seem to be there."""
    store.put(tx, worker_id, said, now)
    beside = store.beside(tx, worker_id, said.process)
    return RegistrationReply(
        neighbours=tuple(
            Predecessor(worker_id=id_, process=process) for id_, process in beside.items()
        )
    )


def gone(
    tx: Connection, worker_id: str, said: Gone, *, backoff_policy: BackoffPolicy, now: datetime
) -> None:
    """A worker has ended with all its processes: what it ran goes back to the queue at once."""
    if store.get(tx, worker_id) is None:
        raise NotFound("unknown_worker", f"there is no worker {worker_id}")
    store.change(tx, worker_id, {"state": WorkerState.GONE, "message": said.message or None})
    end = AttemptEnd(AttemptEvent.LOST, Reason.WORKER_LOST, said.message or "its worker ended")
    for seen in attempts.live(tx, worker_id):
        job = jobs.get(tx, seen.attempt.job_id, lock=True)
        found = attempts.get(tx, seen.attempt.job_id, seen.attempt.number)
        assert job is not None
        assert found is not None
        # Its last report may have come while we waited for the job.
        if found.attempt.state in LIVE_ATTEMPTS:
            end_attempt(tx, job, found.attempt, end, backoff_policy=backoff_policy, now=now)


def drain(tx: Connection, worker_id: str, now: datetime) -> Worker:
    """Have a worker finish what it runs and claim nothing new; raises NotFound, Conflict."""
    worker = _there(tx, worker_id)
    if worker.state is not WorkerState.QUARANTINED:
        message = f"drain asked at {now:%Y-%m-%d %H:%M:%S}Z"
        store.change(tx, worker_id, {"state": WorkerState.DRAINING, "message": message})
    return _there(tx, worker_id)


def resume(tx: Connection, worker_id: str, now: datetime) -> Worker:
    """Let a draining or quarantined worker claim again; raises NotFound, Conflict.

    What failed on it before counts no longer.
    """
    worker = _there(tx, worker_id)
    if worker.state in (WorkerState.DRAINING, WorkerState.QUARANTINED):
        values = {"state": WorkerState.ACTIVE, "message": None, "trusted_at": now}
        store.change(tx, worker_id, values)
    return _there(tx, worker_id)


def there(tx: Connection) -> list[Worker]:
    """The workers that have not ended, each with the jobs it runs."""
    running: dict[str, list[str]] = {}
    for found in attempts.live(tx):
        running.setdefault(found.attempt.worker_id, []).append(found.attempt.job_id)
    return [
        worker.model_copy(update={"jobs": tuple(running.get(worker.id, ()))})
        for worker in store.there(tx)
    ]


def _there(tx: Connection, worker_id: str) -> Worker:
    worker = store.get(tx, worker_id, lock=True)
    if worker is None:
        raise NotFound("no_such_worker", f"there is no worker {worker_id}")
    if worker.state in (WorkerState.LOST, WorkerState.GONE):
        raise Conflict("worker_ended", f"worker {worker_id} is {worker.state}")
    held = [found.attempt.job_id for found in attempts.live(tx, worker_id)]
    return worker.model_copy(update={"jobs": tuple(held)})
