"""Beginning a session of the page."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection

from service.contract.access import Role
from service.control.access.credentials import digest_of
from service.domain.access import Caller
from service.domain.errors import Forbidden
from service.store import sessions
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
    return StartedSession(session, secret)
