"""When attempts and workers were heard of, without reading each: two statements for all of them."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, func, select

from service.contract.jobs import LIVE_ATTEMPTS, AttemptState
from service.store.tables import attempts, workers
from service.store.workers import PRESENT

_OF_ATTEMPTS = (
    select(
        attempts.c.state,
        func.min(attempts.c.renewed_at).label("first"),
        func.max(attempts.c.renewed_at).label("last"),
    )
    .where(attempts.c.state.in_(LIVE_ATTEMPTS))
    .group_by(attempts.c.state)
)
_OF_WORKERS = select(
    func.min(workers.c.last_seen_at).label("first"), func.max(workers.c.last_seen_at).label("last")
).where(workers.c.state.in_(PRESENT))


@dataclass(frozen=True)
class Contacts:
    """The oldest and the newest of the last contacts of some attempts or workers."""

    first: datetime
    last: datetime


def of_attempts(tx: Connection) -> dict[AttemptState, Contacts]:
    """By state those of the attempts that hold a lease; a state that none is in is left out."""
    rows = tx.execute(_OF_ATTEMPTS)
    return {AttemptState(row.state): Contacts(row.first, row.last) for row in rows}


def of_workers(tx: Connection) -> Contacts | None:
    """Those of the workers that have not ended; None if there is none."""
    row = tx.execute(_OF_WORKERS).one()
    return Contacts(row.first, row.last) if row.first is not None else None
