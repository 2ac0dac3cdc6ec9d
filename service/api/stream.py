"""Server-Sent Events: what happens to one job, or to all, as it happens."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Annotated

import structlog
from fastapi import APIRouter, Query
from fastapi.responses import StreamingResponse
from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError
from starlette.concurrency import run_in_threadpool
from starlette.types import Receive, Scope, Send

from service.api.dependencies import Context, OpenRequest
from service.api.parameters import LastEventId, PathId, Whole
from service.api.refusals import Responses, refusals
from service.context import AppContext
from service.contract.jobs import Event
from service.control.jobs import history

router = APIRouter(tags=["streams"], dependencies=[OpenRequest])

_STREAM: Responses = {200: {"description": "Events", "content": {"text/event-stream": {}}}}
_POLL_SECONDS = 1.0
_RECONNECT_MS = 2000
_AT_ONCE = 100
_log = structlog.get_logger()

After = Annotated[int | None, Query(ge=0, le=2**53), Whole]


@dataclass(frozen=True)
class _Part:
    """The next events, and the data of the `end` if nothing comes after them."""

    events: list[Event]
    end: dict[str, str | None] | None = None


@router.get(
    "/jobs/{job_id}/stream", response_class=StreamingResponse, responses=_STREAM | refusals(404)
)
def of_job(
    job_id: PathId, context: Context, after: After = None, last: LastEventId = None
) -> StreamingResponse:
    """The job's whole history, or what came after an event, until an `end` event."""
    with context.database.read() as tx:
        history.events(tx, job_id, 0, 1)

    def read(tx: Connection, number: int) -> _Part:
        events, end = history.streamed(tx, job_id, number, _AT_ONCE)
        return _Part(events, end)

    return _streaming(context, read, last if last is not None else after or 0)


@router.get("/stream", response_class=StreamingResponse, responses=_STREAM)
def of_all(context: Context, after: After = None, last: LastEventId = None) -> StreamingResponse:
    """What happens to any job from now on, or after an event; it has no end."""
    start = last if last is not None else after
    if start is None:
        with context.database.read() as tx:
            start = history.newest(tx)
    return _streaming(context, lambda tx, n: _Part(history.of_all(tx, n, _AT_ONCE)), start)


def _streaming(
    context: AppContext, read: Callable[[Connection, int], _Part], start: int
) -> StreamingResponse:
    headers = {"Cache-Control": "no-cache", "X-Accel-Buffering": "no"}
    frames = _frames(context, read, start)
    return _EventStream(frames, media_type="text/event-stream", headers=headers)


class _EventStream(StreamingResponse):
    """A stream of events; the answer to a HEAD ends at once."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] == "HEAD":
            self.body_iterator = _nothing()
        await super().__call__(scope, receive, send)


async def _nothing() -> AsyncIterator[str]:
    return
    yield


async def _frames(
    context: AppContext, read: Callable[[Connection, int], _Part], start: int
) -> AsyncIterator[str]:
    loop, number = asyncio.get_running_loop(), start
    yield f"retry: {_RECONNECT_MS}\n\n"
    spoke = loop.time()
    while not context.notifier.closed:
        seen = context.notifier.count
        part = await run_in_threadpool(_read, context, read, number)
        for event in part.events:
            number = event.number
            yield f"id: {number}\nevent: {event.kind}\ndata: {event.model_dump_json()}\n\n"
            spoke = loop.time()
        if part.end is not None:
            yield f"event: end\ndata: {json.dumps(part.end, allow_nan=False)}\n\n"
            return
        if part.events:
            continue
        left = spoke + context.settings.keepalive_seconds - loop.time()
        if left <= 0:
            yield ": keep-alive\n\n"
            spoke, left = loop.time(), context.settings.keepalive_seconds
        await context.notifier.wait(seen, min(left, _POLL_SECONDS))


def _read(context: AppContext, read: Callable[[Connection, int], _Part], number: int) -> _Part:
    try:
        with context.database.read() as tx:
            return read(tx, number)
    except SQLAlchemyError as error:
        # The stream goes on when the database is back; until then it has nothing to say.
        _log.warning("stream_waits", error=str(error).split("\n")[0])
        return _Part([])
