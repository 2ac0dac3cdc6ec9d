"""Sweeps in the database."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from pydantic import ValidationError
from sqlalchemy import Connection, RowMapping, delete, insert, select, update

from service.contract.reading import log_once, member
from service.contract.sentences import sentence_of
from service.contract.sweep_specs import NewSweep
from service.contract.sweeps import LIVE_SWEEPS, SweepState
from service.store.sweep_tables import sweeps, trials


@dataclass(frozen=True)
class StoredSweep:
    """A sweep as its row has it; another version may have written `spec`."""

    id: str
    name: str | None
    state: SweepState
    message: str | None
    created_at: datetime
    finished_at: datetime | None
    submitted_by: str | None
    spec: Any

    @cached_property
    def read(self) -> NewSweep | str:
        """What it is to do, or why this version cannot read that."""
        try:
            return NewSweep.model_validate(self.spec, extra="allow")
        except ValidationError as error:
            log_once("unreadable_sweep", self.id)
            return f"this version cannot read the sweep: {sentence_of(error)}"


def add(
    tx: Connection, sweep_id: str, new: NewSweep, *, submitted_by: str | None, now: datetime
) -> None:
    """Store a new sweep, which runs."""
    values = {"name": new.name, "state": SweepState.RUNNING, "spec": new.model_dump(mode="json")}
    more = {"submitted_by": submitted_by, "created_at": now}
    tx.execute(insert(sweeps).values(id=sweep_id, **values, **more))


def get(tx: Connection, sweep_id: str, *, lock: bool = False) -> StoredSweep | None:
    """One sweep; `lock` locks its row until this transaction ends."""
    query = select(sweeps).where(sweeps.c.id == sweep_id)
    row = tx.execute(query.with_for_update() if lock else query).mappings().first()
    return _stored(row) if row is not None else None


def page(
    tx: Connection, states: Sequence[SweepState], after: str | None, limit: int
) -> list[StoredSweep]:
    """Sweeps, newest first; one above the limit if there are more."""
    query = select(sweeps).order_by(sweeps.c.id.desc()).limit(limit + 1)
    if states:
        query = query.where(sweeps.c.state.in_(states))
    if after is not None:
        query = query.where(sweeps.c.id < after)
    return [_stored(row) for row in tx.execute(query).mappings()]


def live_ids(tx: Connection) -> list[str]:
    """The ids of those that have not ended, oldest first."""
    query = select(sweeps.c.id).where(sweeps.c.state.in_(LIVE_SWEEPS)).order_by(sweeps.c.id)
    return list(tx.execute(query).scalars())


def change(tx: Connection, sweep_id: str, values: Mapping[str, Any]) -> None:
    """Set columns of a sweep, which the caller has locked."""
    tx.execute(update(sweeps).where(sweeps.c.id == sweep_id).values(**values))


def delete_sweep(tx: Connection, sweep_id: str) -> None:
    """Delete a sweep and its trials, and none of their jobs."""
    tx.execute(delete(trials).where(trials.c.sweep_id == sweep_id))
    tx.execute(delete(sweeps).where(sweeps.c.id == sweep_id))


def _stored(row: RowMapping) -> StoredSweep:
    return StoredSweep(**{**row, "state": member(SweepState, row["state"])})
