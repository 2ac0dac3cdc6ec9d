"""The index of the checkpoints: the folders on the volume are the data, this is their table."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import TypeAdapter, ValidationError
from sqlalchemy import (
    Connection,
    RowMapping,
    Select,
    delete,
    func,
    insert,
    or_,
    select,
    tuple_,
    update,
)

from service.contract.checkpoints import Checkpoint, FileDigest, Manifest, Measured, SortKey, State
from service.contract.jobs import ENDED_JOBS
from service.contract.reading import log_once, read, with_unknown_fields
from service.store.tables import checkpoint_tags, checkpoints, jobs

_PUBLISHED: State = "published"
_FILES: TypeAdapter[dict[str, FileDigest]] = TypeAdapter(dict[str, FileDigest])
_MEASURED: tuple[Measured, ...] = ("loss", "top1_error", "top5_error")


@dataclass(frozen=True)
class CheckpointFilter:
    """What a list of checkpoints is narrowed to; None is no limit."""

    job: str | None = None
    recipe: str | None = None
    variant: str | None = None
    after: str | None = None
    limit: int = 20
    tag: str | None = None
    order_by: SortKey = "-created_at"


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
    return _checkpoint(row) if row is not None else None


def page(tx: Connection, checkpoint_filter: CheckpointFilter) -> list[Checkpoint]:
    """A sorted page of checkpoints; one more than the limit where there are more."""
    falling = checkpoint_filter.order_by.startswith("-")
    sorted_by = checkpoints.c[checkpoint_filter.order_by.removeprefix("-").removeprefix("metrics.")]
    key = (sorted_by, checkpoints.c.id)
    query = _narrowed(select(checkpoints), checkpoint_filter)
    query = query.order_by(*(column.desc() if falling else column.asc() for column in key))
    if sorted_by.nullable:
        query = query.where(sorted_by.is_not(None))
    if checkpoint_filter.after is not None:
        at = select(sorted_by).where(checkpoints.c.id == checkpoint_filter.after).scalar_subquery()
        last = tuple_(at, checkpoint_filter.after)
        query = query.where(tuple_(*key) < last if falling else tuple_(*key) > last)
    rows = tx.execute(query.limit(checkpoint_filter.limit + 1)).mappings()
    return [_checkpoint(row) for row in rows]


def latest(tx: Connection, checkpoint_filter: CheckpointFilter) -> Checkpoint | None:
    """The newest that is published: of a job the highest step, over jobs the last created."""
    query = _narrowed(select(checkpoints), checkpoint_filter).where(
        checkpoints.c.state == _PUBLISHED
    )
    if checkpoint_filter.job is not None:
        query = query.order_by(*_newest_of_job())
    else:
        query = query.order_by(checkpoints.c.created_at.desc(), checkpoints.c.id.desc())
    row = tx.execute(query.limit(1)).mappings().first()
    return _checkpoint(row) if row is not None else None


def best(
    tx: Connection, checkpoint_filter: CheckpointFilter, metric: Measured, *, highest: bool = False
) -> Checkpoint | None:
    """The published one with the lowest (or highest) value; of equal ones the newest."""
    value = checkpoints.c[metric]
    query = _narrowed(select(checkpoints), checkpoint_filter)
    # By no index of the state: SQLite would take it, and sort a million rows.
    query = query.where((checkpoints.c.state + "") == _PUBLISHED, value.is_not(None))
    newer_first = (
        _newest_of_job() if checkpoint_filter.job is not None else (checkpoints.c.id.desc(),)
    )
    query = query.order_by(value.desc() if highest else value.asc(), *newer_first)
    row = tx.execute(query.limit(1)).mappings().first()
    return _checkpoint(row) if row is not None else None


def published_of(tx: Connection, job_id: str, *, lock: bool = False) -> list[Checkpoint]:
    """The published checkpoints of a job, newest first; the final one before a training one."""
    query = select(checkpoints).where(
        checkpoints.c.job_id == job_id, checkpoints.c.state == _PUBLISHED
    )
    query = query.order_by(*_newest_of_job())
    rows = tx.execute(query.with_for_update() if lock else query).mappings()
    return [_checkpoint(row) for row in rows]


def newest_states(tx: Connection, job_ids: Sequence[str]) -> dict[str, tuple[str, int]]:
    """By job the id and step of its newest published training state, for jobs that have one."""
    position = func.row_number().over(partition_by=checkpoints.c.job_id, order_by=_newest_of_job())
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
    return [_checkpoint(row) for row in tx.execute(query.order_by(*_newest_of_job())).mappings()]


def in_state(tx: Connection, job_id: str, state: State) -> list[Checkpoint]:
    """The checkpoints of a job in one state, oldest first."""
    query = select(checkpoints).where(checkpoints.c.job_id == job_id, checkpoints.c.state == state)
    return [_checkpoint(row) for row in tx.execute(query.order_by(checkpoints.c.step)).mappings()]


def purging_of(tx: Connection, job_ids: Sequence[str]) -> dict[str, list[Checkpoint]]:
    """By job id the checkpoints that its retention has expired and that are to be removed."""
    query = select(checkpoints).where(
        checkpoints.c.job_id.in_(job_ids), checkpoints.c.state == "purging"
    )
    purging: dict[str, list[Checkpoint]] = {}
    for row in tx.execute(query.order_by(checkpoints.c.step)).mappings():
        purging.setdefault(row["job_id"], []).append(_checkpoint(row))
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


def published_paths(tx: Connection) -> list[tuple[str, str]]:
    """Id and folder of everything that is published."""
    query = select(checkpoints.c.id, checkpoints.c.path).where(checkpoints.c.state == _PUBLISHED)
    return [(row.id, row.path) for row in tx.execute(query)]


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


def _newest_of_job() -> tuple[Any, ...]:
    columns = (checkpoints.c.step, checkpoints.c.is_final, checkpoints.c.attempt)
    return tuple(column.desc() for column in columns)


def _narrowed(
    query: "Select[tuple[Any, ...]]", checkpoint_filter: CheckpointFilter
) -> "Select[tuple[Any, ...]]":
    for column, value in (
        (checkpoints.c.job_id, checkpoint_filter.job),
        (checkpoints.c.recipe, checkpoint_filter.recipe),
        (checkpoints.c.variant, checkpoint_filter.variant),
    ):
        if value is not None:
            query = query.where(column == value)
    if checkpoint_filter.tag is not None:
        tagged = select(checkpoint_tags.c.checkpoint_id).where(
            checkpoint_tags.c.tag == checkpoint_filter.tag
        )
        query = query.where(checkpoints.c.id.in_(tagged))
    return query


def _checkpoint(row: RowMapping) -> Checkpoint:
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
