"""The candidates of searches in the database."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    RowMapping,
    and_,
    case,
    delete,
    func,
    literal,
    or_,
    select,
)
from sqlalchemy.dialects import postgresql, sqlite

from service.contract.candidates import Candidate, Fitness
from service.contract.search_summaries import CandidateOrder, FitnessName
from service.store.search_tables import search_candidates as table

_ADD = {
    "sqlite": sqlite.insert(table).on_conflict_do_nothing(),
    "postgresql": postgresql.insert(table).on_conflict_do_nothing(),
}
_NAMES = tuple(Candidate.model_fields)
_CANDIDATES = select(*(table.c[name] for name in _NAMES))


def add(
    tx: Connection, job_id: str, candidates: Sequence[Candidate], now: datetime, *, most: int
) -> int:
    """Store those that the job does not have yet, as far as it has no more than `most`; how many.

    Of one that comes again the first is kept. The caller has locked the job.
    """
    sent = {each.blocks: each for each in reversed(candidates)}
    if not sent:
        return 0
    of_job = table.c.job_id == job_id
    stored = select(table.c.blocks).where(of_job, table.c.blocks.in_(sorted(sent)))
    known = set(tx.execute(stored).scalars())
    new = [each for each in sent.values() if each.blocks not in known]
    # All are counted only for what is new: a replay tells everything again, and costs little.
    room = most - count(tx, job_id) if new else 0
    if room <= 0:
        return 0
    shared = {"job_id": job_id, "created_at": now}
    rows = [{name: getattr(each, name) for name in _NAMES} | shared for each in new[-room:]]
    tx.execute(_ADD[tx.dialect.name], rows)
    return len(rows)


def count(tx: Connection, job_id: str) -> int:
    """How many the job has."""
    query = select(func.count()).select_from(table).where(table.c.job_id == job_id)
    return int(tx.execute(query).scalar_one())


def of_job(tx: Connection, job_id: str) -> list[Candidate]:
    """All of a job, in their order."""
    query = _CANDIDATES.where(table.c.job_id == job_id).order_by(table.c.order, table.c.blocks)
    return [_candidate(row) for row in tx.execute(query).mappings()]


def fitness_of(tx: Connection, job_ids: Sequence[str]) -> list[Fitness]:
    """What any of the jobs has measured, each path once and by the first job that has it."""
    columns = [table.c[name] for name in Fitness.model_fields]
    found: dict[str, RowMapping] = {}
    for job_id in job_ids:
        query = select(*columns).where(table.c.job_id == job_id).order_by(table.c.blocks)
        for row in tx.execute(query).mappings():
            found.setdefault(row["blocks"], row)
    return [Fitness.model_construct(**row) for row in found.values()]


def page(
    tx: Connection,
    job_id: str,
    *,
    order_by: CandidateOrder,
    fitness: FitnessName,
    after: str | None,
    limit: int,
) -> list[Candidate] | None:
    """At most `limit` candidates behind that of the blocks `after`, in an order.

    None if the job has no candidate of those blocks.
    """
    keys = [*_KEYS[order_by if order_by != "fitness" else fitness], table.c.order, table.c.blocks]
    query = _CANDIDATES.where(table.c.job_id == job_id)
    if after is not None:
        last = select(*keys).where(table.c.job_id == job_id, table.c.blocks == after)
        values = tx.execute(last).first()
        if values is None:
            return None
        query = query.where(_behind(keys, list(values)))
    rows = tx.execute(query.order_by(*keys).limit(limit)).mappings()
    return [_candidate(row) for row in rows]


def best(tx: Connection, job_id: str, fitness: FitnessName) -> Candidate | None:
    """The best of a job; None if it has none."""
    found = page(tx, job_id, order_by="fitness", fitness=fitness, after=None, limit=1)
    return found[0] if found else None


def has(tx: Connection, job_id: str, blocks: str) -> bool:
    """Whether a job has measured a path."""
    query = select(table.c.blocks).where(table.c.job_id == job_id, table.c.blocks == blocks)
    return tx.execute(query).first() is not None


def copy(tx: Connection, from_job: str, to_job: str) -> None:
    """Store what one job has measured for another, which has nothing yet."""
    names = [column.name for column in table.c if column.name != "job_id"]
    rows = select(literal(to_job), *(table.c[name] for name in names))
    rows = rows.where(table.c.job_id == from_job)
    tx.execute(table.insert().from_select(["job_id", *names], rows))


def delete_of_job(tx: Connection, job_id: str) -> None:
    """Delete what a job has measured."""
    tx.execute(delete(table).where(table.c.job_id == job_id))


_IS_INFINITE = case((table.c.loss.is_(None), 1), else_=0)
"""One whose loss is not finite is the worst."""
_KEYS: dict[str, list[ColumnElement[Any]]] = {
    "order": [],
    "multiply_adds": [table.c.multiply_adds],
    "error": [_IS_INFINITE, table.c.top1_error, table.c.top5_error],
    "loss": [_IS_INFINITE, func.coalesce(table.c.loss, 0.0)],
}


def _behind(keys: Sequence[ColumnElement[Any]], values: Sequence[Any]) -> ColumnElement[bool]:
    """That a row comes after the values of the keys, the first key deciding first."""
    pairs = list(zip(keys, values, strict=True))
    return or_(
        *(
            and_(*(key == value for key, value in pairs[:n]), pairs[n][0] > pairs[n][1])
            for n in range(len(pairs))
        )
    )


def _candidate(row: RowMapping) -> Candidate:
    # Checked when it came; there may be very many.
    return Candidate.model_construct(**row)
