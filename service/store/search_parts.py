"""What searches wait for in the database: populations to be measured, and the jobs that do it."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import ValidationError
from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    case,
    delete,
    func,
    insert,
    or_,
    select,
)

from service.contract.candidates import WantedCandidate
from service.contract.jobs import ENDED_JOBS, JobState
from service.contract.reading import member
from service.store.search_tables import search_parts as table
from service.store.tables import jobs

NOT_GIVEN = 0
"""The number of a population that no job has been made for yet."""
_LENGTH = func.json_array_length(table.c.wanted)
_IS_LIST = func.json_typeof(table.c.wanted) == "array"
_COUNTS: dict[str, ColumnElement[int]] = {
    "sqlite": _LENGTH,
    # It has no length of what is no list; what another version has left there stops no view.
    "postgresql": case((_IS_LIST, _LENGTH), else_=0),
}


@dataclass(frozen=True)
class PartState:
    """A part of a search's population; without a job (and its state) nobody measures it yet."""

    number: int
    job_id: str | None
    state: JobState | None

    @property
    def is_live(self) -> bool:
        """Whether it has a job that has not ended."""
        return self.state is not None and self.state not in ENDED_JOBS


@dataclass(frozen=True)
class StoredPart:
    """What one job measures for a search, whose rows were `known` when the job was made."""

    search_id: str
    number: int
    job_id: str | None
    wanted: tuple[WantedCandidate, ...]
    created_at: datetime
    known: int


def want(
    tx: Connection, search_id: str, wanted: Sequence[WantedCandidate], known: int, now: datetime
) -> None:
    """Store what a search wants measured, unless it waits for something already."""
    query = select(table.c.number).where(
        table.c.search_id == search_id, table.c.number == NOT_GIVEN
    )
    if tx.execute(query).first() is None:
        add_all(tx, [StoredPart(search_id, NOT_GIVEN, None, tuple(wanted), now, known)])


def add_all(tx: Connection, parts: Sequence[StoredPart]) -> None:
    """Store new ones."""
    rows = [
        {
            "search_id": each.search_id,
            "number": each.number,
            "job_id": each.job_id,
            "wanted": [candidate.model_dump(mode="json") for candidate in each.wanted],
            "created_at": each.created_at,
            "known": each.known,
        }
        for each in parts
    ]
    if rows:
        tx.execute(insert(table), rows)


def searches(tx: Connection) -> list[str]:
    """The searches that have parts, by id."""
    return list(
        tx.execute(select(table.c.search_id).distinct().order_by(table.c.search_id)).scalars()
    )


def searches_of(tx: Connection, job_ids: Collection[str]) -> set[str]:
    """The searches for which jobs measure."""
    query = select(table.c.search_id).where(table.c.job_id.in_(sorted(job_ids)))
    return set(tx.execute(query).scalars())


def jobs_of(tx: Connection, search_ids: Collection[str]) -> list[str]:
    """The jobs that measure for searches and have not ended, by id."""
    return sorted(tx.execute(_of_live(table.c.job_id, search_ids)).scalars())


def searches_by_job(tx: Connection, search_ids: Collection[str]) -> dict[str, str]:
    """By job that measures for one of the searches and has not ended: which search."""
    ids = sorted(search_ids)
    live = jobs.c.state.not_in(ENDED_JOBS)
    query = select(table.c.job_id, table.c.search_id).join(jobs, jobs.c.id == table.c.job_id)
    return {row[0]: row[1] for row in tx.execute(query.where(table.c.search_id.in_(ids), live))}


def searches_with_live(tx: Connection, search_ids: Collection[str]) -> set[str]:
    """Those of the searches for which jobs measure that have not ended."""
    return set(tx.execute(_of_live(table.c.search_id, search_ids)).scalars())


def _of_live(column: ColumnElement[str], search_ids: Collection[str]) -> Select[str]:
    return (
        select(column)
        .select_from(table.join(jobs, jobs.c.id == table.c.job_id))
        .where(table.c.search_id.in_(sorted(search_ids)), jobs.c.state.not_in(ENDED_JOBS))
    )


def states_of(tx: Connection, search_id: str) -> list[PartState]:
    """The parts of a search with the states of their jobs, by number."""
    query = (
        select(table.c.number, table.c.job_id, jobs.c.state)
        .select_from(table.outerjoin(jobs, jobs.c.id == table.c.job_id))
        .where(table.c.search_id == search_id)
        .order_by(table.c.number)
    )
    return [
        PartState(
            row.number, row.job_id, None if row.state is None else member(JobState, row.state)
        )
        for row in tx.execute(query)
    ]


def count_wanted(tx: Connection, search_id: str, numbers: Collection[int]) -> int:
    """How many candidates some parts of a search are to measure; the rows are not read."""
    rows = table.c.search_id == search_id, table.c.number.in_(sorted(numbers))
    query = select(func.coalesce(func.sum(_COUNTS[tx.dialect.name]), 0)).where(*rows)
    return int(tx.execute(query).scalar_one())


def of_search(tx: Connection, search_id: str) -> list[StoredPart]:
    """All parts of a search, by number."""
    query = select(table).where(table.c.search_id == search_id).order_by(table.c.number)
    return [_part(row) for row in tx.execute(query).mappings()]


def of_job(tx: Connection, job_id: str) -> StoredPart | None:
    """What a job measures for a search; None if it measures for none."""
    row = tx.execute(select(table).where(table.c.job_id == job_id)).mappings().first()
    return None if row is None else _part(row)


def delete_numbers(tx: Connection, search_id: str, numbers: Collection[int]) -> None:
    """Delete some parts of a search; their jobs stay."""
    rows = table.c.search_id == search_id, table.c.number.in_(sorted(numbers))
    tx.execute(delete(table).where(*rows))


def delete_of_job(tx: Connection, job_id: str) -> None:
    """Delete the parts of a search, and that for which a job was made."""
    tx.execute(delete(table).where(or_(table.c.search_id == job_id, table.c.job_id == job_id)))


def _part(row: Any) -> StoredPart:
    return StoredPart(
        row["search_id"],
        row["number"],
        row["job_id"],
        tuple(_wanted(row["wanted"])),
        row["created_at"],
        row["known"],
    )


def _wanted(column: Any) -> Sequence[WantedCandidate]:
    """Those that can be read: what is missing of them is wanted again by the search itself."""
    found = []
    for each in column if isinstance(column, list) else []:
        try:
            found.append(WantedCandidate.model_validate(each))
        except ValidationError:
            continue
    return found
