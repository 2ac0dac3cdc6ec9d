"""The audit list as rows: each is written by the transaction of what it tells of."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Select,
    delete,
    func,
    literal,
    select,
    true,
    tuple_,
    union_all,
)

from service.contract.audit import DETAIL_LENGTH, AuditEntry, AuditSelection
from service.contract.request_origin import ORIGIN, RequestOrigin
from service.contract.text import cut_text
from service.store.access_tables import audit_entries as entries
from service.store.plain_insert import PlainInsert
from service.store.schema import Number, Utc

_ADDRESS_LENGTH = 64
_NEWEST_FIRST = (entries.c.created_at.desc(), entries.c.number.desc())
_NEW = PlainInsert(
    entries,
    ("created_at", "actor", "role", "action", "subject", "detail", "request_id", "address"),
)


class Act(NamedTuple):
    """What was done to what; `origin` is that of its request, where it is not the present one."""

    action: str
    subject: str | None
    detail: str | None = None
    origin: RequestOrigin | None = None


def note(tx: Connection, action: str, subject: str | None, detail: str | None = None) -> None:
    """Add what the request that is being answered does; nothing where none is."""
    note_all(tx, [Act(action, subject, detail)])


def note_all(tx: Connection, acts: Sequence[Act]) -> None:
    """Add some acts; those that no request has caused are left out."""
    present = ORIGIN.get()
    origins = [(act, act.origin or present) for act in acts]
    _NEW.add(tx, [_row(act, origin) for act, origin in origins if origin is not None])


def page(
    tx: Connection, selection: AuditSelection, before: int | None, limit: int
) -> list[AuditEntry]:
    """The entries that follow the one numbered `before`, newest first.

    One above the limit if there are more. They are in the order of their times, and of one time in
    that of their numbers.
    """
    conditions = [*_conditions(selection), *_place(tx, before)]
    queries = [
        select(entries).where(*conditions, of_action).order_by(*_NEWEST_FIRST).limit(limit + 1)
        for of_action in _action_conditions(tx, selection)
    ]
    if not queries:
        return []
    query = queries[0] if len(queries) == 1 else _newest_of(queries, limit + 1)
    return [AuditEntry.model_validate(dict(row)) for row in tx.execute(query).mappings()]


def delete_before(tx: Connection, moment: datetime, limit: int) -> int:
    """Delete at most `limit` of the entries that are older than `moment`; how many."""
    old = select(entries.c.number).where(entries.c.created_at < moment)
    old = old.order_by(entries.c.created_at, entries.c.number).limit(limit)
    return tx.execute(delete(entries).where(entries.c.number.in_(old))).rowcount


def _row(act: Act, origin: RequestOrigin) -> dict[str, object]:
    address = origin.address
    return {
        "created_at": origin.at,
        "actor": origin.actor,
        "role": origin.role,
        "action": act.action,
        "subject": act.subject,
        "detail": cut_text(act.detail, DETAIL_LENGTH) if act.detail is not None else None,
        "request_id": origin.request_id,
        "address": cut_text(address, _ADDRESS_LENGTH) if address is not None else None,
    }


def _conditions(selection: AuditSelection) -> Iterator[ColumnElement[bool]]:
    if selection.actor is not None:
        yield _beside_subject(entries.c.actor, selection) == selection.actor
    if selection.subject is not None:
        yield entries.c.subject == selection.subject
    if selection.since is not None:
        yield entries.c.created_at >= selection.since
    if selection.until is not None:
        yield entries.c.created_at < selection.until


def _beside_subject(column: Column[Any], selection: AuditSelection) -> ColumnElement[Any]:
    """A column to compare; beside a subject, which has few entries, without an index of its own.

    SQLite does not know which of two indexes has fewer rows for a filter.
    """
    return column if selection.subject is None else column.concat("")


def _place(tx: Connection, before: int | None) -> Iterator[ColumnElement[bool]]:
    """Where a page begins: past the entry `before`, also where that one was removed meanwhile."""
    if before is None:
        return
    nearest = select(entries.c.created_at).where(entries.c.number >= before)
    at = tx.scalar(nearest.order_by(entries.c.number).limit(1))
    if at is not None:
        place = tuple_(literal(at, Utc), literal(before, Number))
        yield tuple_(entries.c.created_at, entries.c.number) < place


def _action_conditions(tx: Connection, selection: AuditSelection) -> Sequence[ColumnElement[bool]]:
    """One condition for each part of the list that an index has in order."""
    wanted = selection.action
    action = _beside_subject(entries.c.action, selection)
    if wanted is None:
        return (true(),)
    if "." in wanted:
        return (action == wanted,)
    # A word without a dot means all actions on such a thing.
    of_kind = [each for each in _stored_actions(tx) if each.split(".")[0] == wanted]
    if selection.subject is not None:
        return (action.in_(of_kind),)
    return [action == each for each in of_kind]


def _stored_actions(tx: Connection) -> list[str]:
    """All actions that the list has, by one look into their index for each."""
    first = select(func.min(entries.c.action).label("action")).cte("actions", recursive=True)
    later = select(func.min(entries.c.action)).where(entries.c.action > first.c.action)
    actions = first.union_all(select(later.scalar_subquery()).where(first.c.action.is_not(None)))
    query = select(actions.c.action).where(actions.c.action.is_not(None))
    return list(tx.scalars(query))


def _newest_of(queries: Sequence[Select[Any]], limit: int) -> Select[Any]:
    """The first rows of some queries that are each in order and cut."""
    rows = union_all(*(select(query.subquery()) for query in queries)).subquery()
    return select(rows).order_by(rows.c.created_at.desc(), rows.c.number.desc()).limit(limit)
