"""Writes that arrive while others are being committed share the next transaction."""

import asyncio
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from contextvars import Context
from typing import Generic, TypeVar

from starlette.concurrency import run_in_threadpool

from service.domain.errors import Unavailable

Request = TypeVar("Request")
Reply = TypeVar("Reply")
MOST_REQUESTS = 64
"""In one transaction: other writers wait for it."""
LIMIT_SECONDS = 35.0
"""Longer than a database waits for its locks: what it says then is a better answer."""
_NOT_BEGUN = "the database does not answer; nothing was changed, so try again"
_UNDER_WAY = (
    "the database does not answer, and may still do what was asked: send the same again with the "
    "same Idempotency-Key, or look whether it was done"
)


class GroupCommit(Generic[Request, Reply]):
    """Gives requests to `commit`, in a thread, all that wait at a time in one call.

    A request that comes alone is committed at once: nobody waits for others to be sent. `commit`
    gives the reply to each request, or the exception that it alone raises. What it raises itself,
    all its requests raise; if that is an outage, so do all that wait. Where a commit takes longer
    than `limit_seconds`, its requests and those that wait for it raise Unavailable. Belongs to one
    event loop.
    """

    def __init__(
        self,
        commit: Callable[[Sequence[Request]], Sequence[Reply | Exception]],
        is_outage: Callable[[Exception], bool],
        limit_seconds: float = LIMIT_SECONDS,
    ) -> None:
        self._commit, self._is_outage = commit, is_outage
        self._limit_seconds = limit_seconds
        self._waiting: deque[tuple[Request, asyncio.Future[Reply]]] = deque()
        self._committing: asyncio.Task[None] | None = None
        self._timer: asyncio.TimerHandle | None = None

    async def reply(self, request: Request) -> Reply:
        """The reply to a request, once it is durable; raises what its commit raises."""
        future: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
        self._waiting.append((request, future))
        if self._committing is None:
            # It outlives the request that began it: what it logs has not that one's id.
            self._committing = asyncio.create_task(self._commit_all(), context=Context())
        return await future

    async def _commit_all(self) -> None:
        try:
            while self._waiting:
                await self._gather()
                count = min(len(self._waiting), MOST_REQUESTS)
                await self._commit_group([self._waiting.popleft() for _ in range(count)])
        finally:
            self._committing = None

    async def _gather(self) -> None:
        """Wait while the turns of the event loop bring requests: they are there to be read."""
        count = 0
        while count < len(self._waiting) < MOST_REQUESTS:
            count = len(self._waiting)
            # What is read from a connection in one turn comes here in the next.
            await asyncio.sleep(0)
            await asyncio.sleep(0)

    async def _commit_group(self, group: list[tuple[Request, asyncio.Future[Reply]]]) -> None:
        futures = [future for _, future in group]
        self._answer_in_time(futures)
        try:
            replies = await run_in_threadpool(self._commit, [request for request, _ in group])
        except Exception as error:
            if self._is_outage(error):
                futures += self._take_waiting()
            _fail(futures, error)
        else:
            _answer(futures, replies)
        finally:
            if self._timer is not None:
                self._timer.cancel()

    def _answer_in_time(self, futures: list[asyncio.Future[Reply]]) -> None:
        """Have the futures of a commit, and those that wait for it, fail at the limit."""
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(self._limit_seconds, self._give_up, futures)

    def _give_up(self, futures: list[asyncio.Future[Reply]]) -> None:
        _fail(futures, Unavailable("database_away", _UNDER_WAY))
        _fail(self._take_waiting(), Unavailable("database_away", _NOT_BEGUN))
        self._answer_in_time([])

    def _take_waiting(self) -> list[asyncio.Future[Reply]]:
        """Those whose commit has not begun, which it will not do any more."""
        futures = [future for _, future in self._waiting]
        self._waiting.clear()
        return futures


def _answer(futures: Sequence[asyncio.Future[Reply]], replies: Sequence[Reply | Exception]) -> None:
    for future, reply in zip(futures, replies, strict=True):
        if isinstance(reply, Exception):
            _fail([future], reply)
        # The caller of one may have gone: its request is committed all the same.
        elif not future.done():
            future.set_result(reply)


def _fail(futures: Iterable[asyncio.Future[Reply]], error: Exception) -> None:
    for future in futures:
        if not future.done():
            future.set_exception(error)
