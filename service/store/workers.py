"""Workers in the database."""

from datetime import datetime
from typing import Any

from pydantic import ValidationError
from sqlalchemy import Connection, RowMapping, case, delete, func, insert, select, update

from service.contract.reading import log_once, member, read
from service.contract.registration import Gpu, ProcessIdentity, Registration
from service.contract.workers import Worker, WorkerState
from service.store.tables import attempts, catalogs, workers

_RESPONSIVE = (WorkerState.ACTIVE, WorkerState.DRAINING, WorkerState.QUARANTINED)
PRESENT = (*_RESPONSIVE, WorkerState.UNREACHABLE)
_ENDED = (WorkerState.LOST, WorkerState.GONE)
# Statements that every submission, claim or heartbeat sends are made once.
_ALL_PRESENT = select(workers).where(workers.c.state.in_(PRESENT)).order_by(workers.c.id)
_CATALOG_DIGESTS = (
    select(workers.c.catalog_digest, func.count().label("workers"))
    .outerjoin(catalogs, catalogs.c.digest == workers.c.catalog_digest)
    .where(workers.c.state.in_(PRESENT))
    .group_by(workers.c.catalog_digest, catalogs.c.created_at)
    .order_by(catalogs.c.created_at.desc().nulls_last(), workers.c.catalog_digest)
)


def put(tx: Connection, worker_id: str, registration: Registration, now: datetime) -> None:
    """Store a worker as it registers; one that has ended and registers again is active again."""
    columns = registration.model_dump(mode="json")
    # The model's own form leaves one host out.
    columns |= {"hosts": registration.hosts, "last_seen_at": now}
    known = update(workers).where(workers.c.id == worker_id)
    if tx.execute(known.values(**columns)).rowcount:
        ended = workers.c.state.not_in(_RESPONSIVE)
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
    """One worker, without its jobs; `lock` locks its row until this transaction ends."""
    query = select(workers).where(workers.c.id == worker_id)
    row = tx.execute(query.with_for_update() if lock else query).mappings().first()
    return _worker(row) if row is not None else None


def present(tx: Connection) -> list[Worker]:
    """The workers that have not ended, oldest first, without their jobs."""
    return [_worker(row) for row in tx.execute(_ALL_PRESENT).mappings()]


def ended(tx: Connection, limit: int) -> list[Worker]:
    """The workers that ended last, the one that was seen last first; at most `limit`."""
    query = select(workers).where(workers.c.state.in_(_ENDED))
    query = query.order_by(workers.c.last_seen_at.desc(), workers.c.id.desc()).limit(limit)
    return [_worker(row) for row in tx.execute(query).mappings()]


def catalog_digests(tx: Connection) -> dict[str | None, int]:
    """By the digest of a catalog how many workers that have not ended have it, the newest first.

    None is the digest of those that sent none.
    """
    return {row.catalog_digest: row.workers for row in tx.execute(_CATALOG_DIGESTS)}


def record_contact(tx: Connection, worker_id: str, now: datetime) -> WorkerState | None:
    """Note that a worker called now, and give its state; None if it is not registered."""
    is_back = workers.c.state == WorkerState.UNREACHABLE
    back = case(
        (is_back & workers.c.volume_problem.is_not(None), WorkerState.QUARANTINED),
        (is_back, WorkerState.ACTIVE),
        else_=workers.c.state,
    )
    known = update(workers).where(workers.c.id == worker_id)
    contact = known.values(last_seen_at=now, state=back).returning(workers.c.state)
    state = tx.execute(contact).scalar_one_or_none()
    return member(WorkerState, state) if state is not None else None


def renew_since(tx: Connection, since: datetime | None, now: datetime) -> int:
    """Note the workers that were seen since a moment as seen now; None is all; how many.

    For the start of a server: silence while no server listened is nobody's fault.
    """
    seen_since = update(workers).where(workers.c.state.in_(PRESENT))
    if since is not None:
        seen_since = seen_since.where(workers.c.last_seen_at >= since)
    return tx.execute(seen_since.values(last_seen_at=now)).rowcount


def delete_ended_before(tx: Connection, moment: datetime, limit: int) -> int:
    """Delete at most `limit` ended workers without attempts, last seen before `moment`."""
    attempted = select(attempts.c.worker_id).where(attempts.c.worker_id == workers.c.id)
    ended = select(workers.c.id).where(
        workers.c.state.in_(_ENDED), workers.c.last_seen_at < moment, ~attempted.exists()
    )
    return tx.execute(delete(workers).where(workers.c.id.in_(ended.limit(limit)))).rowcount


def expire(tx: Connection, worker: Worker, values: dict[str, Any]) -> bool:
    """Set columns of a worker that has not called since `worker` was read; False if it has."""
    statement = update(workers).where(
        workers.c.id == worker.id, workers.c.last_seen_at == worker.last_seen_at
    )
    return tx.execute(statement.values(**values)).rowcount == 1


def volume_problem(tx: Connection, worker_id: str) -> str | None:
    """Why a worker's volume is not the server's; None if it is, or if it has never told."""
    query = select(workers.c.volume_problem).where(workers.c.id == worker_id)
    return tx.execute(query).scalar_one_or_none()


def trusted_since(tx: Connection, worker_id: str) -> datetime:
    """From when on a worker's failures count: its registration, or the end of its quarantine."""
    query = select(workers.c.trusted_at).where(workers.c.id == worker_id)
    since: datetime = tx.execute(query).scalar_one()
    return since


def change(tx: Connection, worker_id: str, values: dict[str, Any]) -> None:
    """Set columns of a worker."""
    tx.execute(update(workers).where(workers.c.id == worker_id).values(**values))


def predecessors(
    tx: Connection, worker_id: str, process: ProcessIdentity
) -> dict[str, ProcessIdentity]:
    """By id the processes of the other workers of the same boot and pid namespace, oldest first.

    Not of those that stand for several hosts: from one nobody sees whether ranks live on another.
    """
    query = select(workers.c.id, workers.c.process).where(
        workers.c.state.in_(PRESENT),
        workers.c.id != worker_id,
        workers.c.hosts == 1,
        workers.c.process["boot_id"].as_string() == process.boot_id,
        workers.c.process["pid_namespace"].as_string() == process.pid_namespace,
    )
    rows = tx.execute(query.order_by(workers.c.id))
    processes = {row.id: _process(row.process) for row in rows}
    return {id_: process for id_, process in processes.items() if process is not None}


def _worker(row: RowMapping) -> Worker:
    return Worker(
        id=row["id"],
        host=row["host"],
        state=member(WorkerState, row["state"]),
        message=row["message"],
        gpus=tuple(_gpu(index, stored) for index, stored in enumerate(row["gpus"])),
        slots=row["slots"],
        hosts=row["hosts"],
        labels=row["labels"],
        version=row["version"],
        catalog_digest=row["catalog_digest"],
        registered_at=row["registered_at"],
        last_seen_at=row["last_seen_at"],
    )


def _gpu(index: int, stored: Any) -> Gpu:
    try:
        return read(Gpu, stored)
    except ValidationError:
        log_once("unreadable_gpu", str(stored)[:200])
        # It counts as one, whatever it is.
        return Gpu(index=index, name="unknown", memory_bytes=0)


def _process(stored: Any) -> ProcessIdentity | None:
    try:
        return read(ProcessIdentity, stored)
    except ValidationError:
        # Whether it is alive cannot be known: its lease runs out by itself.
        log_once("unreadable_process", str(stored)[:200])
        return None
