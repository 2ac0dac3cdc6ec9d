"""The session of a person who uses the page of a server that has a token."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr

from service.contract.text import ShortText

_TOKEN_LENGTH = 1000


class Login(BaseModel):
    """What begins a session."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    token: Annotated[SecretStr, Field(min_length=1, max_length=_TOKEN_LENGTH)]


class SessionView(BaseModel):
    """Who sends a request; `user` is null for a stranger, and on a server without tokens."""

    object: Literal["session"] = "session"
    needs_login: bool
    """Whether the server has tokens, and answers only those who have sent one."""
    user: ShortText | None = None
    role: ShortText | None = None
    """What the caller may do: `viewer`, `user`, `admin` or `worker`; null for a stranger."""
    expires_at: datetime | None = None
    """When the session ends; null for who sends the token itself."""
