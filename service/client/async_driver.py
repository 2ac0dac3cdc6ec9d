"""Performs the effects of flows in an event loop."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, closing
from typing import TypeVar

import httpx
from tenacity import stop_after_attempt

from service.client.exchange import built, connected, translated_errors
from service.client.flow import (
    Answer,
    Effect,
    Flow,
    Item,
    ItemFlow,
    Pause,
    Request,
    Work,
    advance,
    checked,
    repeated,
    retries,
    sent,
)
from service.contract.http_client import async_http_client

_T = TypeVar("_T")


class AsyncDriver:
    """The connections to one server, of one event loop; what is cancelled leaves jobs alone."""

    def __init__(
        self, server: str, token: str | None, *, tries: int, timeout_seconds: float
    ) -> None:
        self._client = connected(async_http_client, server, token, timeout_seconds)
        self.server, self._tries = server.rstrip("/"), tries

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    async def run(self, flow: Flow[_T]) -> _T:
        """The result of a flow; raises what it raises."""
        outcome: Answer | Exception = None
        with closing(flow):
            async with _Stream() as stream:
                try:
                    while True:
                        outcome = await self._outcome(advance(flow, outcome), stream)
                except StopIteration as end:
                    result: _T = end.value
                    return result

    async def iterate(self, flow: ItemFlow[_T]) -> AsyncIterator[_T]:
        """The items of a flow, each asked for when it is needed."""
        outcome: Answer | Exception = None
        with closing(flow):
            async with _Stream() as stream:
                while True:
                    try:
                        effect = advance(flow, outcome)
                    except StopIteration:
                        return
                    if isinstance(effect, Item):
                        outcome = None
                        yield effect.value
                    else:
                        outcome = await self._outcome(effect, stream)

    async def _outcome(self, effect: Effect, stream: "_Stream") -> Answer | Exception:
        try:
            if isinstance(effect, Request):
                return await self._response(effect, stream)
            if isinstance(effect, Work):
                return await asyncio.to_thread(effect.call)
            if isinstance(effect, Pause):
                await asyncio.sleep(effect.seconds)
                return None
            with translated_errors(self.server):
                return await stream.next_chunk()
        except Exception as error:
            return error

    async def _response(self, request: Request, stream: "_Stream") -> httpx.Response:
        if request.repeats:
            rule = retries(stop_after_attempt(self._tries))
            return await self.run(repeated(lambda: sent(request.once), rule))
        with translated_errors(self.server):
            response = await self._client.send(
                built(self._client, request), stream=request.is_streamed
            )
            if request.is_streamed:
                await stream.read(response)
            if not response.is_success:
                await response.aread()
        return checked(response)


class _Stream(AbstractAsyncContextManager["_Stream"]):
    """The streamed response of a flow, closed at its end."""

    _response: httpx.Response | None = None
    _chunks: AsyncIterator[bytes] | None = None

    async def read(self, response: httpx.Response) -> None:
        await self.close()
        self._response, self._chunks = response, response.aiter_raw()

    async def next_chunk(self) -> bytes:
        return b"" if self._chunks is None else await anext(self._chunks, b"")

    async def close(self) -> None:
        if self._response is not None:
            await self._response.aclose()

    async def __aexit__(self, *_: object) -> None:
        await self.close()
