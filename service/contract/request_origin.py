"""Who sends the request that is being answered, and from where, for the audit list."""

from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class RequestOrigin:
    """A request that may change something: when it came, whose it is, its id and its address.

    `actor` is the name of a token, and None on a server without tokens, where everybody on the
    machine may do everything; `role` is None for a stranger.
    """

    at: datetime
    actor: str | None
    role: str | None
    request_id: str
    address: str | None


ORIGIN: ContextVar[RequestOrigin | None] = ContextVar("request_origin", default=None)
"""None for reads, for what agents report, in a loop of the server, and in a command."""
