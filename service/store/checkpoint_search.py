"""The newest, the best and pages of the checkpoints, narrowed by what they are and belong to."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, not_, select, tuple_

from service.contract.checkpoints import Checkpoint, Measured, SortKey, State
from service.store.checkpoint_tables import checkpoint_tags, checkpoints
from service.store.checkpoints import checkpoint_of, newest_of_job

_PUBLISHED: State = "published"
_RETAINED: tuple[State, ...] = ("published", "damaged")
# Few of many are in them, and an index finds those.
_RARE: tuple[State, ...] = ("damaged", "purging", "deleting")


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
    phase: str | None = None
    pinned: bool | None = None
    state: State | None = None
    retained: bool | None = None
    """Whether its folder is kept: published or damaged, and in no removal."""


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
    query = query.where(*_states(checkpoint_filter, sorted_by.key))
    rows = tx.execute(query.limit(checkpoint_filter.limit + 1)).mappings()
    return [checkpoint_of(row) for row in rows]


def latest(tx: Connection, checkpoint_filter: CheckpointFilter) -> Checkpoint | None:
    """The newest that is published: of a job the highest step, over jobs the last created."""
    query = _narrowed(select(checkpoints), checkpoint_filter).where(
        checkpoints.c.state == _PUBLISHED
    )
    if checkpoint_filter.job is not None:
        query = query.order_by(*newest_of_job())
    else:
        query = query.order_by(checkpoints.c.created_at.desc(), checkpoints.c.id.desc())
    row = tx.execute(query.limit(1)).mappings().first()
    return checkpoint_of(row) if row is not None else None


def best(
    tx: Connection, checkpoint_filter: CheckpointFilter, metric: Measured, *, highest: bool = False
) -> Checkpoint | None:
    """The published one with the lowest (or highest) value; of equal ones the newest."""
    value = checkpoints.c[metric]
    query = _narrowed(select(checkpoints), checkpoint_filter)
    # By no index of the state: SQLite would take it, and sort a million rows.
    query = query.where((checkpoints.c.state + "") == _PUBLISHED, value.is_not(None))
    newer_first = (
        newest_of_job() if checkpoint_filter.job is not None else (checkpoints.c.id.desc(),)
    )
    query = query.order_by(value.desc() if highest else value.asc(), *newer_first)
    row = tx.execute(query.limit(1)).mappings().first()
    return checkpoint_of(row) if row is not None else None


def _states(checkpoint_filter: CheckpointFilter, sorted_by: str) -> Iterator["ColumnElement[bool]"]:
    state, of_no_index = checkpoints.c.state, checkpoints.c.state + ""
    if checkpoint_filter.state is not None:
        # The index of a state has its rows by time: by another order SQLite would sort them all.
        is_found = sorted_by == "created_at" or checkpoint_filter.state in _RARE
        yield (state if is_found else of_no_index) == checkpoint_filter.state
    if checkpoint_filter.retained is not None:
        retained = of_no_index.in_(_RETAINED)
        yield retained if checkpoint_filter.retained else not_(retained)


def _narrowed(
    query: "Select[tuple[Any, ...]]", checkpoint_filter: CheckpointFilter
) -> "Select[tuple[Any, ...]]":
    for column, value in (
        (checkpoints.c.job_id, checkpoint_filter.job),
        (checkpoints.c.recipe, checkpoint_filter.recipe),
        (checkpoints.c.variant, checkpoint_filter.variant),
        (checkpoints.c.phase, checkpoint_filter.phase),
    ):
        if value is not None:
            query = query.where(column == value)
    if checkpoint_filter.pinned is not None:
        # As the index of the pinned ones says it.
        pinned = checkpoints.c.pinned
        query = query.where(pinned if checkpoint_filter.pinned else not_(pinned))
    if checkpoint_filter.tag is not None:
        tagged = select(checkpoint_tags.c.checkpoint_id).where(
            checkpoint_tags.c.tag == checkpoint_filter.tag
        )
        query = query.where(checkpoints.c.id.in_(tagged))
    return query
