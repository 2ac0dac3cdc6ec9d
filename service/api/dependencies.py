"""What the routes are given: the application's context, its volume, the method asked for."""

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import Depends, Request
from starlette.types import Scope

from service.api.access import caller_key
from service.context import AppContext
from service.domain.access import Caller


async def _context(request: Request) -> AppContext:
    # A coroutine: what is no coroutine is called in a thread, at each request.
    context = request.app.state.context
    assert isinstance(context, AppContext)
    return context


Context = Annotated[AppContext, Depends(_context)]


async def _caller(request: Request) -> Caller:
    caller = request.scope["caller"]
    assert isinstance(caller, Caller)
    return caller


By = Annotated[Caller, Depends(_caller)]
"""Who sends the request, to a route that needs a role."""


async def _open_request(request: Request) -> AsyncIterator[None]:
    with request.app.state.open_requests.one_of(caller_key(request.scope)):
        yield


OpenRequest = Depends(_open_request)
"""For a route whose answer may take long to come or to end; it counts as open until it is sent."""


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


def as_get(scope: Scope) -> Scope:
    """The scope of a request for which a route is looked up: a HEAD has the route of its GET."""
    if scope["method"] != "HEAD":
        return scope
    return {**scope, "method": "GET", "asked_method": "HEAD"}


async def _restore_head(request: Request) -> None:
    request.scope["method"] = request.scope.get("asked_method", request.method)


AskedMethod = Depends(_restore_head)
"""For every route: its response sees that a HEAD was asked, and reads no file for it."""
