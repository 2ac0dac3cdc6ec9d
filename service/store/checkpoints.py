"""The index of the checkpoints: the folders on the volume are the data, this is their table."""

from collections.abc import Sequence
from typing import Any

from pydantic import TypeAdapter, ValidationError
from sqlalchemy import (
    Connection,
    RowMapping,
    bindparam,
    delete,
    func,
    insert,
    or_,
    select,
    update,
)

from service.contract.checkpoints import Checkpoint, FileDigest, Manifest, Measured, State
from service.contract.jobs import ENDED_JOBS
from service.contract.reading import log_once, read, with_unknown_fields
from service.store import jobs as job_rows
from service.store.checkpoint_tables import checkpoint_tags, checkpoints
from service.store.tables import jobs

_PUBLISHED: State = "published"
_FILES: TypeAdapter[dict[str, FileDigest]] = TypeAdapter(dict[str, FileDigest])
_MEASURED: tuple[Measured, ...] = ("loss", "top1_error", "top5_error")
_PURGING = (
    select(checkpoints)
    .where(
        checkpoints.c.job_id.in_(bindparam("job_ids", expanding=True)),
        checkpoints.c.state == "purging",
    )
    .order_by(checkpoints.c.step)
)


def add(tx: Connection, checkpoint: Checkpoint, manifest: Manifest) -> None:
    """Record a published checkpoint."""
    columns = checkpoint.model_dump(exclude={"object", "files", "manifest"})
    tx.execute(
        insert(checkpoints).values(
            **columns,
            is_final=checkpoint.phase == "final",
            manifest=with_unknown_fields(manifest),
            **{name: checkpoint.metrics.get(name) for name in _MEASURED},
        )
    )
    _write_tags(tx, checkpoint.id, checkpoint.tags)


def get(tx: Connection, checkpoint_id: str, *, lock: bool = False) -> Checkpoint | None:
    """One checkpoint, whatever its state; `lock` locks its row until this transaction ends."""
    query = select(checkpoints).where(checkpoints.c.id == checkpoint_id)
    row = tx.execute(query.with_for_update() if lock else query).mappings().first()
    return checkpoint_of(row) if row is not None else None


def lock_with_job(tx: Connection, checkpoint_id: str) -> Checkpoint | None:
    """One checkpoint, locked until this transaction ends, and before it the job that made it.

    A heartbeat locks them in this order, too.
    """
    job_ids = owners_of(tx, [checkpoint_id])
    if not job_ids:
        return None
    job_rows.lock(tx, job_ids)
    return get(tx, checkpoint_id, lock=True)


def published_of(tx: Connection, job_id: str, *, lock: bool = False) -> list[Checkpoint]:
    """The published checkpoints of a job, newest first; the final one before a training one."""
    query = select(checkpoints).where(
        checkpoints.c.job_id == job_id, checkpoints.c.state == _PUBLISHED
    )
    query = query.order_by(*newest_of_job())
    rows = tx.execute(query.with_for_update() if lock else query).mappings()
    return [checkpoint_of(row) for row in rows]


def newest_states(tx: Connection, job_ids: Sequence[str]) -> dict[str, tuple[str, int]]:
    """By job the id and step of its newest published training state, for jobs that have one."""
    position = func.row_number().over(partition_by=checkpoints.c.job_id, order_by=newest_of_job())
    numbered = (
        select(
            checkpoints.c.id, checkpoints.c.job_id, checkpoints.c.step, position.label("position")
        )
        .where(checkpoints.c.job_id.in_(job_ids), checkpoints.c.state == _PUBLISHED)
        .where(checkpoints.c.is_final.is_(False))
        .subquery()
    )
    rows = tx.execute(select(numbered).where(numbered.c.position == 1))
    return {row.job_id: (row.id, row.step) for row in rows}


def published_steps(tx: Connection, checkpoint_ids: Sequence[str]) -> dict[str, int]:
    """By id the steps of those that are published."""
    query = select(checkpoints.c.id, checkpoints.c.step)
    query = query.where(checkpoints.c.id.in_(checkpoint_ids), checkpoints.c.state == _PUBLISHED)
    return {row.id: row.step for row in tx.execute(query)}


def of_job(tx: Connection, job_id: str) -> list[Checkpoint]:
    """Every checkpoint of a job, newest first, whatever its state."""
    query = select(checkpoints).where(checkpoints.c.job_id == job_id)
    return [checkpoint_of(row) for row in tx.execute(query.order_by(*newest_of_job())).mappings()]


def in_state(tx: Connection, job_id: str, state: State) -> list[Checkpoint]:
    """The checkpoints of a job in one state, oldest first."""
    query = select(checkpoints).where(checkpoints.c.job_id == job_id, checkpoints.c.state == state)
    return [checkpoint_of(row) for row in tx.execute(query.order_by(checkpoints.c.step)).mappings()]


def purging_of(tx: Connection, job_ids: Sequence[str]) -> dict[str, list[Checkpoint]]:
    """By job id the checkpoints that its retention has expired and that are to be removed."""
    purging: dict[str, list[Checkpoint]] = {}
    for row in tx.execute(_PURGING, {"job_ids": list(job_ids)}).mappings():
        purging.setdefault(row["job_id"], []).append(checkpoint_of(row))
    return purging


def owners_of(tx: Connection, checkpoint_ids: Sequence[str]) -> set[str]:
    """The jobs of some checkpoints."""
    query = select(checkpoints.c.job_id).where(checkpoints.c.id.in_(checkpoint_ids))
    return set(tx.execute(query).scalars())


def jobs_with_leftovers(tx: Connection) -> list[str]:
    """Jobs with folders to remove: ended ones with expired checkpoints, any with deleted ones."""
    query = (
        select(checkpoints.c.job_id)
        .outerjoin(jobs, jobs.c.id == checkpoints.c.job_id)
        .where(checkpoints.c.state.in_(("purging", "deleting")))
        .where(or_(checkpoints.c.state == "deleting", jobs.c.state.in_(ENDED_JOBS)))
    )
    return sorted(set(tx.execute(query).scalars()))


def published_ids(tx: Connection) -> list[str]:
    """The ids of everything that is published."""
    query = select(checkpoints.c.id).where(checkpoints.c.state == _PUBLISHED)
    return list(tx.execute(query).scalars())


def change(
    tx: Connection, checkpoint_id: str, *, pinned: bool | None, tags: Sequence[str] | None
) -> None:
    """Set what is not None."""
    values: dict[str, Any] = {} if pinned is None else {"pinned": pinned}
    if tags is not None:
        values["tags"] = list(tags)
        _write_tags(tx, checkpoint_id, tags)
    if values:
        tx.execute(update(checkpoints).where(checkpoints.c.id == checkpoint_id).values(values))


def mark(tx: Connection, checkpoint_ids: Sequence[str], state: State) -> int:
    """Set the state of some checkpoints; how many there were."""
    if not checkpoint_ids:
        return 0
    statement = update(checkpoints).where(checkpoints.c.id.in_(checkpoint_ids))
    return tx.execute(statement.values(state=state)).rowcount


def mark_purged(tx: Connection, job_id: str, checkpoint_ids: Sequence[str]) -> int:
    """Mark as purged those that were purging or deleting; gives how many."""
    if not checkpoint_ids:
        return 0
    statement = update(checkpoints).where(
        checkpoints.c.id.in_(checkpoint_ids),
        checkpoints.c.job_id == job_id,
        checkpoints.c.state.in_(("purging", "deleting")),
    )
    return tx.execute(statement.values(state="purged")).rowcount


def _write_tags(tx: Connection, checkpoint_id: str, tags: Sequence[str]) -> None:
    tx.execute(delete(checkpoint_tags).where(checkpoint_tags.c.checkpoint_id == checkpoint_id))
    if tags:
        rows = [{"tag": tag, "checkpoint_id": checkpoint_id} for tag in tags]
        tx.execute(insert(checkpoint_tags), rows)


def newest_of_job() -> tuple[Any, ...]:
    """The order of one job's checkpoints, newest first; the final one before a training one."""
    columns = (checkpoints.c.step, checkpoints.c.is_final, checkpoints.c.attempt)
    return tuple(column.desc() for column in columns)


def checkpoint_of(row: RowMapping) -> Checkpoint:
    """A row of the table as a checkpoint; unknown fields of its manifest are stored."""
    names = [name for name in Checkpoint.model_fields if name in row]
    columns = {name: row[name] for name in names}
    manifest = row["manifest"] if isinstance(row["manifest"], dict) else {}
    return read(Checkpoint, columns | {"manifest": manifest, "files": _files(manifest)})


def _files(manifest: dict[str, Any]) -> dict[str, FileDigest]:
    try:
        return _FILES.validate_python(manifest.get("files"), extra="allow")
    except ValidationError:
        # Its folder has the manifest itself: whoever loads it reads that.
        log_once("unreadable_manifest", str(manifest)[:200])
        return {}
