"""Which jobs a filter means, as conditions of SQL; what is no JSON in a row matches nothing."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import (
    JSON,
    Column,
    ColumnElement,
    Connection,
    Numeric,
    Text,
    and_,
    case,
    cast,
    column,
    func,
    literal,
    or_,
    select,
)
from sqlalchemy import type_coerce as read_as

from service.contract.job_queries import JobSelection
from service.contract.jobs import JobState
from service.store.tables import jobs

_NUMBER = re.compile(r"-?(0|[1-9][0-9]{0,63})(\.[0-9]{1,64})?([eE][+-]?[0-9]{1,3})?")
_WILDCARD = re.compile("[%_~]")


@dataclass(frozen=True)
class JobFilter:
    """Which jobs are meant; what is None or empty is no limit.

    A job has one of the `states` and `kinds`, all `labels` and all `parameters`; `text` is a part
    of its name, its id or a label. Without `includes_parts` it measures for no search.
    """

    states: tuple[JobState, ...] = ()
    kinds: tuple[str, ...] = ()
    recipe: str | None = None
    name: str | None = None
    text: str | None = None
    labels: tuple[tuple[str, str], ...] = ()
    parameters: tuple[tuple[str, str], ...] = ()
    created_after: datetime | None = None
    submitted_by: str | None = None
    includes_parts: bool = True


EVERY_JOB = JobFilter()
SHOWN_JOBS = JobFilter(includes_parts=False)
"""What a list has that nothing narrows."""
_COUNT_OF = {
    EVERY_JOB: "SELECT state, count(*) FROM jobs GROUP BY state",
    SHOWN_JOBS: "SELECT state, count(*) FROM jobs WHERE part_of IS NULL GROUP BY state",
}


def filter_of(selection: JobSelection) -> JobFilter:
    """The filter that a query or a body asks for."""
    return JobFilter(
        states=selection.state,
        kinds=selection.kind,
        recipe=selection.recipe,
        name=selection.name,
        text=selection.q,
        labels=tuple(selection.labels),
        parameters=tuple(sorted(selection.parameters.items())),
        created_after=selection.created_after,
        submitted_by=selection.submitted_by,
        includes_parts=selection.includes_parts,
    )


def conditions(dialect: str, job_filter: JobFilter) -> list[ColumnElement[bool]]:
    """What holds for the rows of the jobs that a filter means."""
    in_state = [jobs.c.state.in_(job_filter.states)] if job_filter.states else []
    return [*in_state, *_without_states(dialect, job_filter)]


def count_by_state(tx: Connection, job_filter: JobFilter) -> dict[str, int]:
    """How many jobs of each state there are, whatever states the filter has."""
    # As text: every first page asks for it, and building the query costs more than to run it.
    count_of_all = _COUNT_OF.get(replace(job_filter, states=()))
    if count_of_all is not None:
        return {state: count for state, count in tx.exec_driver_sql(count_of_all)}
    wanted = list(_without_states(tx.dialect.name, job_filter))
    query = select(jobs.c.state, func.count()).where(*wanted).group_by(jobs.c.state)
    return {state: count for state, count in tx.execute(query)}


def matching_ids(
    tx: Connection, job_filter: JobFilter, limit: int, *, after: str | None = None
) -> list[str]:
    """The ids of at most `limit` jobs that a filter means, newest first.

    With `after`, of those older than that job alone.
    """
    query = select(jobs.c.id).where(*_older(tx, job_filter, after))
    return list(tx.execute(query.order_by(jobs.c.id.desc()).limit(limit)).scalars())


def count_matching(tx: Connection, job_filter: JobFilter, *, after: str | None = None) -> int:
    """How many jobs a filter means; with `after`, of those older than that job alone."""
    query = select(func.count()).select_from(jobs)
    total: int = tx.execute(query.where(*_older(tx, job_filter, after))).scalar_one()
    return total


def _older(tx: Connection, job_filter: JobFilter, after: str | None) -> list[ColumnElement[bool]]:
    wanted = conditions(tx.dialect.name, job_filter)
    return wanted if after is None else [*wanted, jobs.c.id < after]


def json_number(dialect: str, column: Column[Any], *path: str) -> ColumnElement[Any]:
    """The number at a path in a column of JSON; NULL if there is none."""
    kind, value = _json_at(dialect, column, path)
    if dialect == "sqlite":
        return case((kind.in_(("integer", "real")), value))
    return case((kind == "number", cast(value, Numeric)))


def _without_states(dialect: str, job_filter: JobFilter) -> Iterator[ColumnElement[bool]]:
    if not job_filter.includes_parts:
        yield jobs.c.part_of.is_(None)
    if job_filter.kinds:
        yield jobs.c.kind.in_(job_filter.kinds)
    for exact, value in (
        (jobs.c.recipe, job_filter.recipe),
        (jobs.c.name, job_filter.name),
        (jobs.c.submitted_by, job_filter.submitted_by),
    ):
        if value is not None:
            yield exact == value
    if job_filter.created_after is not None:
        yield jobs.c.created_at > job_filter.created_after
    for key, text in job_filter.labels:
        kind, label = _json_at(dialect, jobs.c.labels, (key,))
        yield and_(kind == _STRING[dialect], label == text)
    for name, text in job_filter.parameters:
        yield or_(*_equal(dialect, name, text))
    if job_filter.text is not None:
        yield _has_text(dialect, job_filter.text)


_STRING = {"sqlite": "text", "postgresql": "string"}


def _json_at(
    dialect: str, column: Column[Any], path: Sequence[str]
) -> tuple[ColumnElement[Any], ColumnElement[Any]]:
    """The JSON type of what is at a path, and its value; on PostgreSQL as text."""
    if dialect == "sqlite":
        # SQLite checks no column: a row that is no JSON would stop the whole list.
        document = case((func.json_valid(read_as(column, Text)) == 1, read_as(column, Text)))
        place = "$" + "".join(f'."{name}"' for name in path)
        return func.json_type(document, place), func.json_extract(document, place)
    return func.json_typeof(func.json_extract_path(column, *path)), func.json_extract_path_text(
        column, *path
    )


def _equal(dialect: str, name: str, text: str) -> Iterator[ColumnElement[bool]]:
    kind, value = _json_at(dialect, jobs.c.spec, ("params", name))
    yield and_(kind == _STRING[dialect], value == text)
    if _NUMBER.fullmatch(text):
        number = json_number(dialect, jobs.c.spec, "params", name)
        yield number == (_sqlite_number(text) if dialect == "sqlite" else Decimal(text))
    if text == "null":
        yield kind == "null"
    elif text in ("true", "false"):
        # SQLite names the type of a truth value by the value.
        is_boolean = kind == (text if dialect == "sqlite" else "boolean")
        yield is_boolean if dialect == "sqlite" else and_(is_boolean, value == text)


def _sqlite_number(text: str) -> int | float:
    number = float(text)
    is_whole = number.is_integer() and abs(number) < 2**63
    return int(Decimal(text)) if is_whole else number


def _has_text(dialect: str, text: str) -> ColumnElement[bool]:
    """Whether name, id or a label has the text, in upper or lower case."""
    # Both databases fold ASCII alone for certain: other letters are looked for in each case.
    forms = {text} if text.isascii() else {text, text.lower(), text.upper(), text.title()}
    patterns = [f"%{_escaped(form)}%" for form in sorted(forms)]

    def like(text_column: ColumnElement[Any]) -> ColumnElement[bool]:
        # LIKE of SQLite does not tell cases apart, and needs no copy in lower case.
        compare = text_column.like if dialect == "sqlite" else text_column.ilike
        return or_(*(compare(pattern, escape="~") for pattern in patterns))

    return or_(like(jobs.c.name), like(jobs.c.id), _has_label(dialect, like))


def _has_label(
    dialect: str, like: Callable[[ColumnElement[Any]], ColumnElement[bool]]
) -> ColumnElement[bool]:
    columns = column("key", Text), column("value", Text)
    if dialect == "sqlite":
        text = read_as(jobs.c.labels, Text)
        document: ColumnElement[Any] = case((func.json_valid(text) == 1, text), else_="{}")
        each = func.json_each(document).table_valued(*columns, name="each_label")
    else:
        is_object = func.json_typeof(jobs.c.labels) == "object"
        document = case((is_object, jobs.c.labels), else_=cast(literal("{}", Text), JSON))
        each = func.json_each_text(document).table_valued(*columns, name="each_label")
    labelled = select(literal(1)).select_from(each)
    return labelled.where(like(each.c.key + ":" + each.c.value)).exists()


def _escaped(text: str) -> str:
    return _WILDCARD.sub(r"~\g<0>", text)
