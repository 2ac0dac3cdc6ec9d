"""Making, listing and revoking access tokens."""

from datetime import datetime

from sqlalchemy import Connection

from service.contract.access import AccessToken, NewAccessToken, Role, TokenRequest
from service.control.access.credentials import digest_of
from service.domain.access import RESERVED, SERVER, Caller
from service.domain.errors import Conflict, Forbidden, NotFound, Unprocessable
from service.store import access_tokens as store
from service.store import audit

PREFIX = "ty_"
"""What every secret begins with, so that a scanner of files finds one that was left in them."""
_MOST_VALID = 1000
_MOST_LISTED = 1000


def create(
    tx: Connection,
    request: TokenRequest,
    *,
    token_id: str,
    secret: str,
    now: datetime,
    by: Caller = SERVER,
) -> NewAccessToken:
    """Make a token, whose secret is shown this once; raises Conflict, Unprocessable."""
    if request.expires_at is not None and request.expires_at <= now:
        message = f"expires_at is {request.expires_at.isoformat()}, which is in the past"
        raise Unprocessable("expired", message, "/expires_at")
    reserved = RESERVED.get(request.name, request.role)
    if reserved is not request.role:
        message = f"only a token with the role {reserved} is named {request.name}: choose another"
        raise Unprocessable("reserved_name", message, "/name")
    store.lock(tx)
    same = store.valid_named(tx, request.name, now)
    if same is not None:
        message = (
            f"{same.id} is named {request.name} and is valid: revoke it, or choose another name"
        )
        raise Conflict("name_taken", message)
    if store.count_valid(tx, now) >= _MOST_VALID:
        message = f"there are {_MOST_VALID} valid tokens: revoke those that nobody uses"
        raise Conflict("too_many_tokens", message)
    token = AccessToken(
        id=token_id,
        name=request.name,
        role=request.role,
        created_at=now,
        created_by=by.name,
        expires_at=request.expires_at,
    )
    store.add(tx, token, digest_of(secret))
    audit.note(tx, "token.create", token_id, f"{token.name}, {token.role}")
    return NewAccessToken(**token.model_dump(), secret=secret)


def listed(tx: Connection, now: datetime, *, by: Caller, ended: bool) -> list[AccessToken]:
    """The tokens that are valid, or that are not any more: all for an admin, else the own ones."""
    name = None if by.may(Role.ADMIN) else by.name
    page = store.ended if ended else store.listed
    return page(tx, name, now, _MOST_LISTED)


def revoke(tx: Connection, token_id: str, now: datetime, *, by: Caller) -> None:
    """Revoke a token; again changes nothing. Raises NotFound, Forbidden for somebody else's."""
    token = store.get(tx, token_id)
    if token is None:
        raise NotFound("no_such_token", f"there is no token {token_id}")
    if not by.may(Role.ADMIN) and token.name != by.name:
        message = f"{token_id} is not a token of {by.name}: only an admin revokes those of others"
        raise Forbidden("not_own_token", message)
    if token.revoked_at is None:
        store.revoke(tx, token_id, now)
        audit.note(tx, "token.revoke", token_id, f"{token.name}, {token.role}")
