"""What the routes are given: the application's context, its volume, its token."""

import hmac
from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import Depends, Request

from service.context import AppContext
from service.domain.errors import Unauthorized


def _context(request: Request) -> AppContext:
    context = request.app.state.context
    assert isinstance(context, AppContext)
    return context


Context = Annotated[AppContext, Depends(_context)]


async def _look(context: Context) -> AsyncIterator[None]:
    async with context.volume_limiter.looks.taken():
        yield


async def _work(context: Context) -> AsyncIterator[None]:
    async with context.volume_limiter.works.taken():
        yield


LooksAtVolume = Depends(_look, scope="function")
"""For a route that finds or reads a file; its turn ends with the function."""

WorksOnVolume = Depends(_work, scope="function")
"""For a route that goes through whole folders."""


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
