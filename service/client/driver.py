"""Performs the effects of flows with blocking HTTP."""

import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, closing
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
from service.contract.http_client import http_client

_T = TypeVar("_T")


class Driver:
    """The connections to one server; what is interrupted sends no more, and leaves jobs as they
    are."""

    def __init__(
        self, server: str, token: str | None, *, tries: int, timeout_seconds: float
    ) -> None:
        self._client = connected(http_client, server, token, timeout_seconds)
        self.server, self._tries = server.rstrip("/"), tries

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def run(self, flow: Flow[_T]) -> _T:
        """The result of a flow; raises what it raises."""
        outcome: Answer | Exception = None
        with closing(flow), _Stream() as stream:
            try:
                while True:
                    outcome = self._outcome(advance(flow, outcome), stream)
            except StopIteration as end:
                result: _T = end.value
                return result

    def iterate(self, flow: ItemFlow[_T]) -> Iterator[_T]:
        """The items of a flow, each asked for when it is needed."""
        outcome: Answer | Exception = None
        with closing(flow), _Stream() as stream:
            while True:
                try:
                    effect = advance(flow, outcome)
                except StopIteration:
                    return
                if isinstance(effect, Item):
                    outcome = None
                    yield effect.value
                else:
                    outcome = self._outcome(effect, stream)

    def _outcome(self, effect: Effect, stream: "_Stream") -> Answer | Exception:
        try:
            if isinstance(effect, Request):
                return self._response(effect, stream)
            if isinstance(effect, Work):
                return effect.call()
            if isinstance(effect, Pause):
                time.sleep(effect.seconds)
                return None
            with translated_errors(self.server):
                return stream.next_chunk()
        except Exception as error:
            return error

    def _response(self, request: Request, stream: "_Stream") -> httpx.Response:
        if request.repeats:
            rule = retries(stop_after_attempt(self._tries))
            return self.run(repeated(lambda: sent(request.once), rule))
        with translated_errors(self.server):
            response = self._client.send(built(self._client, request), stream=request.is_streamed)
            if request.is_streamed:
                stream.read(response)
            if not response.is_success:
                response.read()
        return checked(response)


class _Stream(AbstractContextManager["_Stream"]):
    """The streamed response of a flow, closed at its end."""

    _response: httpx.Response | None = None
    _chunks: Iterator[bytes] = iter(())

    def read(self, response: httpx.Response) -> None:
        self.close()
        self._response, self._chunks = response, response.iter_raw()

    def next_chunk(self) -> bytes:
        return next(self._chunks, b"")

    def close(self) -> None:
        if self._response is not None:
            self._response.close()

    def __exit__(self, *_: object) -> None:
        self.close()
