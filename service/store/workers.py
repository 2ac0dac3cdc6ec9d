"""Workers in the database."""

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, RowMapping, case, insert, select, update

from service.contract.agent import Gpu, ProcessIdentity, Registration
from service.contract.workers import Worker, WorkerState
from service.store.tables import workers

_ANSWERING = (WorkerState.ACTIVE, WorkerState.DRAINING, WorkerState.QUARANTINED)
_THERE = (*_ANSWERING, WorkerState.UNREACHABLE)


def put(tx: Connection, worker_id: str, said: Registration, now: datetime) -> None:
    """Store a worker, or what it says of itself the second time: then it is there again."""
    columns = said.model_dump(mode="json") | {"last_seen_at": now}
    known = update(workers).where(workers.c.id == worker_id)
    if tx.execute(known.values(**columns)).rowcount:
        ended = workers.c.state.not_in(_ANSWERING)
        tx.execute(known.where(ended).values(state=WorkerState.ACTIVE, message=None))
    else:
        added = {
            "id": worker_id,
            "state": WorkerState.ACTIVE,
            "registered_at": now,
            "trusted_at": now,
        }
        tx.execute(insert(workers).values(**columns, **added))


def get(tx: Connection, worker_id: str, *, lock: bool = False) -> Worker | None:
    """One worker, without its jobs; `lock` holds it against other transactions."""
    query = select(workers).where(workers.c.id == worker_id)
    row = tx.execute(query.with_for_update() if lock else query).mappings().first()
    return _worker(row) if row is not None else None


def there(tx: Connection) -> list[Worker]:
    """The workers that have not ended, oldest first, without their jobs."""
    query = select(workers).where(workers.c.state.in_(_THERE)).order_by(workers.c.id)
    return [_worker(row) for row in tx.execute(query).mappings()]


def seen(tx: Connection, worker_id: str, now: datetime) -> WorkerState | None:
    """Note that a worker was heard of, and give its state; None if nobody knows it."""
    back = case(
        (workers.c.state == WorkerState.UNREACHABLE, WorkerState.ACTIVE), else_=workers.c.state
    )
    known = update(workers).where(workers.c.id == worker_id)
    heard = known.values(last_seen_at=now, state=back).returning(workers.c.state)
    state = tx.execute(heard).scalar_one_or_none()
    return WorkerState(state) if state is not None else None


def renew_all(tx: Connection, now: datetime) -> None:
    """Give every worker a fresh window: silence while no server listened is nobody's fault."""
    tx.execute(update(workers).where(workers.c.state.in_(_THERE)).values(last_seen_at=now))


def expire(tx: Connection, worker: Worker, values: dict[str, Any]) -> bool:
    """Set columns of a worker that was not heard of since `worker` was read; False if it was."""
    statement = update(workers).where(
        workers.c.id == worker.id, workers.c.last_seen_at == worker.last_seen_at
    )
    return tx.execute(statement.values(**values)).rowcount == 1


def trusted_since(tx: Connection, worker_id: str) -> datetime:
    """From when on a worker's failures count: since it came, or was let out of quarantine."""
    query = select(workers.c.trusted_at).where(workers.c.id == worker_id)
    found: datetime = tx.execute(query).scalar_one()
    return found


def change(tx: Connection, worker_id: str, values: dict[str, Any]) -> None:
    """Set columns of a worker."""
    tx.execute(update(workers).where(workers.c.id == worker_id).values(**values))


def beside(tx: Connection, worker_id: str, own: ProcessIdentity) -> dict[str, ProcessIdentity]:
    """By id the processes of the other workers of the same boot and pid namespace, oldest first."""
    query = select(workers.c.id, workers.c.process).where(
        workers.c.state.in_(_THERE),
        workers.c.id != worker_id,
        workers.c.process["boot_id"].as_string() == own.boot_id,
        workers.c.process["pid_namespace"].as_string() == own.pid_namespace,
    )
    rows = tx.execute(query.order_by(workers.c.id))
    return {row.id: ProcessIdentity.model_validate(row.process) for row in rows}


def _worker(row: RowMapping) -> Worker:
    return Worker(
        id=row["id"],
        host=row["host"],
        state=WorkerState(row["state"]),
        message=row["message"],
        gpus=tuple(Gpu.model_validate(gpu) for gpu in row["gpus"]),
        slots=row["slots"],
        labels=row["labels"],
        version=row["version"],
        registered_at=row["registered_at"],
        last_seen_at=row["last_seen_at"],
    )
