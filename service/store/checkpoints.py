"""The index of the checkpoints: the folders on the volume are the data, this is their table."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, RowMapping, Select, insert, select, tuple_, update

from service.contract.checkpoints import Checkpoint, Manifest
from service.store.tables import checkpoints

_PUBLISHED = "published"


@dataclass(frozen=True)
class CheckpointFilter:
    """What a list of checkpoints is narrowed to; None is no limit."""

    job: str | None = None
    recipe: str | None = None
    variant: str | None = None
    after: str | None = None
    limit: int = 20


def add(tx: Connection, checkpoint: Checkpoint, manifest: Manifest) -> None:
    """Record a published checkpoint."""
    columns = checkpoint.model_dump(exclude={"object", "files", "manifest"})
    tx.execute(
        insert(checkpoints).values(
            **columns,
            is_final=checkpoint.phase == "final",
            manifest=manifest.model_dump(mode="json"),
        )
    )


def get(tx: Connection, checkpoint_id: str) -> Checkpoint | None:
    """One checkpoint, whatever its state."""
    query = select(checkpoints).where(checkpoints.c.id == checkpoint_id)
    row = tx.execute(query).mappings().first()
    return _checkpoint(row) if row is not None else None


def page(tx: Connection, wanted: CheckpointFilter) -> list[Checkpoint]:
    """Newest first, one more than the limit where there are more."""
    newest_first = (checkpoints.c.created_at.desc(), checkpoints.c.id.desc())
    query = _narrowed(select(checkpoints), wanted).order_by(*newest_first)
    if wanted.after is not None:
        at = select(checkpoints.c.created_at).where(checkpoints.c.id == wanted.after)
        key = tuple_(checkpoints.c.created_at, checkpoints.c.id)
        query = query.where(key < tuple_(at.scalar_subquery(), wanted.after))
    rows = tx.execute(query.limit(wanted.limit + 1)).mappings()
    return [_checkpoint(row) for row in rows]


def latest(tx: Connection, wanted: CheckpointFilter) -> Checkpoint | None:
    """The newest that is published: of a job the highest step, over jobs the last created."""
    query = _narrowed(select(checkpoints), wanted).where(checkpoints.c.state == _PUBLISHED)
    if wanted.job is not None:
        query = query.order_by(*_newest_of_job())
    else:
        query = query.order_by(checkpoints.c.created_at.desc(), checkpoints.c.id.desc())
    row = tx.execute(query.limit(1)).mappings().first()
    return _checkpoint(row) if row is not None else None


def published_of(tx: Connection, job_id: str) -> list[Checkpoint]:
    """The published checkpoints of a job, newest first; the final one before a training one."""
    query = select(checkpoints).where(
        checkpoints.c.job_id == job_id, checkpoints.c.state == _PUBLISHED
    )
    return [_checkpoint(row) for row in tx.execute(query.order_by(*_newest_of_job())).mappings()]


def of_job(tx: Connection, job_id: str) -> list[Checkpoint]:
    """Every checkpoint of a job, newest first, whatever its state."""
    query = select(checkpoints).where(checkpoints.c.job_id == job_id)
    return [_checkpoint(row) for row in tx.execute(query.order_by(*_newest_of_job())).mappings()]


def in_state(tx: Connection, job_id: str, state: str) -> list[Checkpoint]:
    """The checkpoints of a job in one state, oldest first."""
    query = select(checkpoints).where(checkpoints.c.job_id == job_id, checkpoints.c.state == state)
    return [_checkpoint(row) for row in tx.execute(query.order_by(checkpoints.c.step)).mappings()]


def mark(tx: Connection, checkpoint_ids: Sequence[str], state: str) -> int:
    """Set the state of some checkpoints; how many there were."""
    if not checkpoint_ids:
        return 0
    statement = update(checkpoints).where(checkpoints.c.id.in_(checkpoint_ids))
    return tx.execute(statement.values(state=state)).rowcount


def mark_purged(tx: Connection, job_id: str, checkpoint_ids: Sequence[str]) -> int:
    """Those that were to go, and are gone; how many."""
    if not checkpoint_ids:
        return 0
    statement = update(checkpoints).where(
        checkpoints.c.id.in_(checkpoint_ids),
        checkpoints.c.job_id == job_id,
        checkpoints.c.state == "purging",
    )
    return tx.execute(statement.values(state="purged")).rowcount


def _newest_of_job() -> tuple[Any, ...]:
    columns = (checkpoints.c.step, checkpoints.c.is_final, checkpoints.c.attempt)
    return tuple(column.desc() for column in columns)


def _narrowed(
    query: "Select[tuple[Any, ...]]", wanted: CheckpointFilter
) -> "Select[tuple[Any, ...]]":
    for column, value in (
        (checkpoints.c.job_id, wanted.job),
        (checkpoints.c.recipe, wanted.recipe),
        (checkpoints.c.variant, wanted.variant),
    ):
        if value is not None:
            query = query.where(column == value)
    return query


def _checkpoint(row: RowMapping) -> Checkpoint:
    names = [name for name in Checkpoint.model_fields if name in row]
    columns = {name: row[name] for name in names}
    return Checkpoint.model_validate(columns | {"files": row["manifest"]["files"]})
