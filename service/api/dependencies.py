"""What the routes are given: the application's context, its volume, its token."""

import hmac
from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import Depends, Header, Request

from service.context import AppContext
from service.domain.errors import Unauthorized


def _context(request: Request) -> AppContext:
    context = request.app.state.context
    assert isinstance(context, AppContext)
    return context


Context = Annotated[AppContext, Depends(_context)]


async def _volume_lookup(context: Context) -> AsyncIterator[None]:
    async with context.volume_limiter.lookups.acquire():
        yield


async def _volume_scan(context: Context) -> AsyncIterator[None]:
    async with context.volume_limiter.scans.acquire():
        yield


VolumeLookup = Depends(_volume_lookup, scope="function")
"""For a route that finds or reads a file; it counts as a call until the function returns."""

VolumeScan = Depends(_volume_scan, scope="function")
"""For a route that reads whole folders; it counts as a call until the function returns."""


def authorized(request: Request, context: Context) -> None:
    """Refuse agents and writers without the server's token, if it has one."""
    token = context.settings.token
    if token is None:
        return
    sent = request.headers.get("authorization", "")
    expected = f"Bearer {token.get_secret_value()}"
    if not hmac.compare_digest(sent.encode(), expected.encode()):
        raise Unauthorized


Authorized = Depends(authorized)

IdempotencyKey = Annotated[
    str | None, Header(alias="Idempotency-Key", min_length=1, max_length=255)
]
"""Of a call that makes a job: the same key and body give the same job again."""
