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
    """Who sends a request; `user` is null for a stranger, and on a server without a token."""

    object: Literal["session"] = "session"
    needs_login: bool
    """Whether the server has a token, and answers only those who have sent it."""
    user: ShortText | None = None
    expires_at: datetime | None = None
    """When the session ends; null for who sends the token itself."""
