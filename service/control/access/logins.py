"""Beginning and ending a session of the page."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import Connection

from service.contract.access import Role
from service.contract.request_origin import ORIGIN
from service.control.access.credentials import digest_of
from service.domain.access import Caller
from service.domain.errors import Forbidden
from service.store import audit, sessions
from service.store.audit import Act
from service.store.sessions import StoredSession


@dataclass(frozen=True)
class StartedSession:
    """A session, and the secret that its cookie has."""

    session: StoredSession
    secret: str


def begin(
    tx: Connection,
    caller: Caller,
    *,
    session_id: str,
    secret: str,
    now: datetime,
    lifetime: timedelta,
) -> StartedSession:
    """A session of who has a token, from `now` on; raises Forbidden for a worker's."""
    if not caller.may(Role.VIEWER):
        message = f"{caller.name} has the role {caller.role}, which may see nothing on the page"
        raise Forbidden("role_required", message)
    assert caller.token_id is not None, "whoever logs in has a token"
    expires_at = (now + lifetime).replace(microsecond=0)
    session = StoredSession(session_id, digest_of(secret), caller.token_id, now, expires_at)
    sessions.add(tx, session)
    origin = ORIGIN.get()
    if origin is not None:
        # The request has no caller yet: who logs in is whose token is in its body.
        origin = replace(origin, actor=caller.name, role=caller.role.value)
    audit.note_all(tx, [Act("session.begin", session_id, None, origin)])
    return StartedSession(session, secret)


def end(tx: Connection, session_id: str) -> None:
    """End a session on all servers."""
    sessions.end(tx, session_id)
    audit.note(tx, "session.end", session_id)
