"""The audit list as admins read it, and what is noted of those who were refused."""

from sqlalchemy import Connection

from service.contract.audit import AuditEntry, AuditSelection
from service.contract.request_origin import RequestOrigin
from service.store import audit as store
from service.store.audit import Act
from service.store.engine import Database

CHANGE_REFUSED = "request.refused"
LOGIN_REFUSED = "session.refused"


def page(
    tx: Connection, selection: AuditSelection, before: int | None, limit: int
) -> tuple[list[AuditEntry], bool]:
    """A page of entries, newest first, and whether there are more."""
    found = store.page(tx, selection, before, limit)
    return found[:limit], len(found) > limit


def note_refusal(
    database: Database, action: str, detail: str | None, origin: RequestOrigin
) -> None:
    """Note what a caller was refused, of which nothing else is stored."""
    with database.write() as tx:
        store.note_all(tx, [Act(action, None, detail, origin)])
