"""From a checkpoint to its parents and children, in the index."""

from sqlalchemy import Connection, RowMapping, select

from service.contract.checkpoints import LineageEntry
from service.store.tables import checkpoints

_CHILDREN = 1000


def kin_of(tx: Connection, checkpoint_id: str) -> LineageEntry | None:
    """One checkpoint as its kin see it."""
    row = tx.execute(_COLUMNS.where(checkpoints.c.id == checkpoint_id)).mappings().first()
    return _kin(row) if row is not None else None


def ancestors_of(tx: Connection, kin: LineageEntry) -> list[LineageEntry]:
    """From the parent to the oldest that the index knows."""
    walk = (
        select(checkpoints.c.id, checkpoints.c.parent_checkpoint)
        .where(checkpoints.c.id == kin.parent_checkpoint)
        .cte("walk", recursive=True)
    )
    # UNION and not UNION ALL: a circle, which only a broken worker can report, comes to an end.
    walk = walk.union(
        select(checkpoints.c.id, checkpoints.c.parent_checkpoint).where(
            checkpoints.c.id == walk.c.parent_checkpoint
        )
    )
    rows = tx.execute(_COLUMNS.where(checkpoints.c.id.in_(select(walk.c.id)))).mappings()
    known = {found.id: found for found in map(_kin, rows)}
    line: list[LineageEntry] = []
    wanted = kin.parent_checkpoint
    while wanted in known:
        line.append(known.pop(wanted))
        wanted = line[-1].parent_checkpoint
    return line


def children_of(tx: Connection, checkpoint_id: str) -> list[LineageEntry]:
    """What went on from it, oldest first."""
    query = _COLUMNS.where(checkpoints.c.parent_checkpoint == checkpoint_id)
    query = query.order_by(checkpoints.c.created_at, checkpoints.c.id).limit(_CHILDREN)
    return [_kin(row) for row in tx.execute(query).mappings()]


_COLUMNS = select(
    *(checkpoints.c[name] for name in LineageEntry.model_fields if name != "spec_sha256"),
    checkpoints.c.manifest["spec_sha256"].as_string().label("spec_sha256"),
)


def _kin(row: RowMapping) -> LineageEntry:
    return LineageEntry.model_validate(dict(row))
