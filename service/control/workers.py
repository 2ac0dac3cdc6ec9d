"""Workers: who is there, and who is gone."""

from datetime import datetime

from sqlalchemy import Connection

from service.contract.agent import Gone, Neighbour, Registered, Registration
from service.contract.jobs import LIVE_ATTEMPTS, Reason
from service.contract.workers import Worker, WorkerState
from service.control.ends import End, Patience, end_attempt
from service.domain.errors import NotFound
from service.domain.lifecycle import AttemptEvent
from service.store import attempts, jobs
from service.store import workers as store


def register(tx: Connection, worker_id: str, said: Registration, now: datetime) -> Registered:
    """Note a worker, and name those of the same kernel and pid namespace that seem to be there."""
    store.put(tx, worker_id, said, now)
    return Registered(
        neighbours=tuple(
            Neighbour(worker_id=other.id, process=process)
            for other in store.there(tx)
            if other.id != worker_id
            and (process := store.process_of(tx, other.id)).boot_id == said.process.boot_id
            and process.pid_namespace == said.process.pid_namespace
        )
    )


def gone(tx: Connection, worker_id: str, said: Gone, *, patience: Patience, now: datetime) -> None:
    """A worker has ended with all its processes: what it ran goes back to the queue at once."""
    if store.get(tx, worker_id) is None:
        raise NotFound("unknown_worker", f"there is no worker {worker_id}")
    store.change(tx, worker_id, {"state": WorkerState.GONE, "message": said.message or None})
    end = End(AttemptEvent.LOST, Reason.WORKER_LOST, said.message or "its worker ended")
    for seen in attempts.live(tx, worker_id):
        job = jobs.get(tx, seen.attempt.job_id, lock=True)
        found = attempts.get(tx, seen.attempt.job_id, seen.attempt.number)
        assert job is not None
        assert found is not None
        # Its last report may have come while we waited for the job.
        if found.attempt.state in LIVE_ATTEMPTS:
            end_attempt(tx, job, found.attempt, end, patience=patience, now=now)


def there(tx: Connection) -> list[Worker]:
    """The workers that have not ended, each with the jobs it runs."""
    running: dict[str, list[str]] = {}
    for found in attempts.live(tx):
        running.setdefault(found.attempt.worker_id, []).append(found.attempt.job_id)
    return [
        worker.model_copy(update={"jobs": tuple(running.get(worker.id, ()))})
        for worker in store.there(tx)
    ]
