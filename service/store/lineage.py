"""From a checkpoint to its parents and children, in the index."""

from sqlalchemy import Connection, RowMapping, select

from service.contract.checkpoint_lineage import CheckpointUse, LineageEntry
from service.store.checkpoint_tables import checkpoints
from service.store.result_numbers import metrics_of_numbers, numbers_of_result
from service.store.tables import jobs

_CHILDREN = 1000
_USES = 1000


def entry_of(tx: Connection, checkpoint_id: str) -> LineageEntry | None:
    """One checkpoint as an entry of a lineage; None if the index does not have it."""
    row = tx.execute(_COLUMNS.where(checkpoints.c.id == checkpoint_id)).mappings().first()
    return _entry(row) if row is not None else None


def ancestors_of(tx: Connection, entry: LineageEntry) -> list[LineageEntry]:
    """The ancestors of a checkpoint, from its parent to the oldest that the index knows."""
    walk = (
        select(checkpoints.c.id, checkpoints.c.parent_checkpoint)
        .where(checkpoints.c.id == entry.parent_checkpoint)
        .cte("walk", recursive=True)
    )
    # UNION and not UNION ALL: a circle, which only a broken worker can report, comes to an end.
    walk = walk.union(
        select(checkpoints.c.id, checkpoints.c.parent_checkpoint).where(
            checkpoints.c.id == walk.c.parent_checkpoint
        )
    )
    rows = tx.execute(_COLUMNS.where(checkpoints.c.id.in_(select(walk.c.id)))).mappings()
    known = {ancestor.id: ancestor for ancestor in map(_entry, rows)}
    ancestors: list[LineageEntry] = []
    next_id = entry.parent_checkpoint
    while next_id in known:
        ancestors.append(known.pop(next_id))
        next_id = ancestors[-1].parent_checkpoint
    return ancestors


def children_of(tx: Connection, checkpoint_id: str) -> list[LineageEntry]:
    """The checkpoints whose parent it is, oldest first."""
    query = _COLUMNS.where(checkpoints.c.parent_checkpoint == checkpoint_id)
    query = query.order_by(checkpoints.c.created_at, checkpoints.c.id).limit(_CHILDREN)
    return [_entry(row) for row in tx.execute(query).mappings()]


def uses_of(tx: Connection, checkpoint_id: str) -> list[CheckpointUse]:
    """The jobs whose source it is, oldest first."""
    query = select(
        jobs.c.id.label("job_id"),
        jobs.c.kind,
        jobs.c.name,
        jobs.c.state,
        jobs.c.created_at,
        numbers_of_result(tx.dialect.name).label("metrics"),
    ).where(jobs.c.source_checkpoint == checkpoint_id)
    return [_use(row) for row in tx.execute(query.order_by(jobs.c.id).limit(_USES)).mappings()]


_COLUMNS = select(
    *(checkpoints.c[name] for name in LineageEntry.model_fields if name != "spec_sha256"),
    checkpoints.c.manifest["spec_sha256"].as_string().label("spec_sha256"),
)


def _entry(row: RowMapping) -> LineageEntry:
    return LineageEntry.model_validate(dict(row) | {"spec_sha256": row["spec_sha256"] or ""})


def _use(row: RowMapping) -> CheckpointUse:
    return CheckpointUse.model_validate({**row, "metrics": metrics_of_numbers(row["metrics"])})
