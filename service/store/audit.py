"""The audit list as rows: each is written by the transaction of what it tells of."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import ColumnElement, Connection, delete, or_, select

from service.contract.audit import DETAIL_LENGTH, AuditEntry, AuditSelection
from service.contract.request_origin import ORIGIN, RequestOrigin
from service.contract.text import cut_text
from service.store.access_tables import audit_entries as entries
from service.store.plain_insert import PlainInsert

_ADDRESS_LENGTH = 64
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
    """Entries with a number below `before`, newest first; one above the limit if there are more."""
    query = select(entries).where(*_conditions(selection))
    if before is not None:
        query = query.where(entries.c.number < before)
    rows = tx.execute(query.order_by(entries.c.number.desc()).limit(limit + 1)).mappings()
    return [AuditEntry.model_validate(dict(row)) for row in rows]


def delete_before(tx: Connection, moment: datetime, limit: int) -> int:
    """Delete those of the `limit` first entries that are older than `moment`; how many."""
    # Of the first alone: the whole list need not be looked through, and has no index by time.
    first = select(entries.c.number, entries.c.created_at).order_by(entries.c.number).limit(limit)
    oldest = first.subquery()
    old = select(oldest.c.number).where(oldest.c.created_at < moment)
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
        yield entries.c.actor == selection.actor
    if selection.action is not None:
        # A word without a dot means all actions on such a thing.
        of_kind = entries.c.action.startswith(f"{selection.action}.")
        exact = entries.c.action == selection.action
        yield exact if "." in selection.action else or_(exact, of_kind)
    if selection.subject is not None:
        yield entries.c.subject == selection.subject
    if selection.since is not None:
        yield entries.c.created_at >= selection.since
    if selection.until is not None:
        yield entries.c.created_at < selection.until
