"""The numbers of jobs' results, of which a list of jobs reads nothing else."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import (
    JSON,
    Boolean,
    ColumnElement,
    Text,
    case,
    cast,
    column,
    func,
    literal,
    literal_column,
    select,
)
from sqlalchemy import type_coerce as read_as

from service.store.json_columns import is_unreadable_on_postgresql
from service.store.tables import jobs

_NO_OBJECT = "{}"
_IS_UNREADABLE = is_unreadable_on_postgresql("jobs.result::text")


def numbers_of_result(dialect: str) -> ColumnElement[Any]:
    """By name the numbers of a job's result; the database takes them out of it.

    A result is what a worker has sent, and may be long. What is no object has no numbers.
    """
    numbers = _of_sqlite() if dialect == "sqlite" else _of_postgresql()
    return read_as(numbers, JSON)


def metrics_of_numbers(stored: Any) -> Mapping[str, float]:
    """The metrics of what `numbers_of_result` has found."""
    found = stored if isinstance(stored, dict) else {}
    return {name: value for name, value in found.items() if type(value) in (int, float)}


def _of_sqlite() -> ColumnElement[Any]:
    text = read_as(jobs.c.result, Text)
    # SQLite checks no column: one that is no JSON would stop the whole list.
    is_object = case((func.json_valid(text) == 1, func.json_type(text))) == "object"
    document: ColumnElement[Any] = case((is_object, text), else_=_NO_OBJECT)
    names = ("key", "value", "type", "fullkey")
    columns = [column(name, Text) for name in names]
    each = func.json_each(document).table_valued(*columns, name="each_result")
    # The digits as they were written: as a REAL they would be written again, with fewer. SQLite
    # does not find again what has a quotation mark in its name.
    is_found = func.instr(each.c.key, '"') == 0
    digits = case((is_found, document.op("->")(each.c.fullkey)), else_=each.c.value)
    numbers = select(func.json_group_object(each.c.key, func.json(digits))).select_from(each)
    return numbers.where(each.c.type.in_(("integer", "real"))).scalar_subquery()


def _of_postgresql() -> ColumnElement[Any]:
    no_object = cast(literal(_NO_OBJECT, Text), JSON)
    document = case(
        (literal_column(_IS_UNREADABLE, Boolean), no_object),
        (func.json_typeof(jobs.c.result) == "object", jobs.c.result),
        else_=no_object,
    )
    columns = (column("key", Text), column("value", JSON))
    each = func.json_each(document).table_valued(*columns, name="each_result")
    numbers = select(func.json_object_agg(each.c.key, each.c.value)).select_from(each)
    return numbers.where(func.json_typeof(each.c.value) == "number").scalar_subquery()
