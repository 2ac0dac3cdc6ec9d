"""The id of the request that is being answered, for the log and for what the request changes."""

import re
from contextvars import ContextVar

REQUEST_ID_LENGTH = 64
REQUEST_ID: ContextVar[str | None] = ContextVar("request_id", default=None)
"""None where no request is being answered: in a loop of the server, in a command."""

ACTOR: ContextVar[str | None] = ContextVar("actor", default=None)
"""The name of the token of who sends the request; None also on a server without tokens."""

_WELL_FORMED = re.compile(rf"[!-~]{{1,{REQUEST_ID_LENGTH}}}")


def is_request_id(text: str) -> bool:
    """Whether a client may give its request this id: 1 to 64 visible characters of ASCII."""
    return _WELL_FORMED.fullmatch(text) is not None
