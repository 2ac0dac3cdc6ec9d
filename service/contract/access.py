"""Who may call a server: roles, and the access tokens that have them."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from service.contract.fields import IdText, Moment
from service.contract.text import ShortText

NAME_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9._@-]{0,62}$"
TokenName = Annotated[str, Field(pattern=NAME_PATTERN, max_length=63)]
"""Whose token it is, as an audit and the jobs of its owner show it."""


class Role(StrEnum):
    """What a token may do: a viewer reads, a user has own jobs, an admin may do everything.

    A worker claims jobs and reports of them, and may do nothing else.
    """

    VIEWER = "viewer"
    USER = "user"
    ADMIN = "admin"
    WORKER = "worker"


class TokenRequest(BaseModel):
    """A token that an admin wants made."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: TokenName
    role: Role
    expires_at: Moment | None = None
    """Until when it is valid; null for one that is valid until it is revoked."""


class AccessToken(BaseModel):
    """An access token without its secret, which nobody can read again."""

    object: Literal["token"] = "token"
    id: IdText
    name: ShortText
    role: ShortText
    created_at: datetime
    created_by: ShortText | None = None
    expires_at: datetime | None = None
    last_used_at: datetime | None = None
    """When it was last used, up to a minute earlier than that."""
    revoked_at: datetime | None = None


class NewAccessToken(AccessToken):
    """A token that was just made, with its secret, which is shown this once."""

    secret: Annotated[str, Field(max_length=64)]
