"""Writes that arrive while others are being committed share the next transaction."""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from contextvars import Context
from typing import Generic, TypeVar

from starlette.concurrency import run_in_threadpool

Request = TypeVar("Request")
Reply = TypeVar("Reply")
MOST_REQUESTS = 64
"""In one transaction: other writers wait for it."""


class GroupCommit(Generic[Request, Reply]):
    """Gives requests to `commit`, in a thread, all that wait at a time in one call.

    A request that comes alone is committed at once: nobody waits for others to come. `commit`
    gives the reply to each request, or the exception that it alone raises; what it raises itself,
    all its requests raise. Belongs to one event loop.
    """

    def __init__(self, commit: Callable[[Sequence[Request]], Sequence[Reply | Exception]]) -> None:
        self._commit = commit
        self._waiting: deque[tuple[Request, asyncio.Future[Reply]]] = deque()
        self._committing: asyncio.Task[None] | None = None

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
                count = min(len(self._waiting), MOST_REQUESTS)
                await self._commit_group([self._waiting.popleft() for _ in range(count)])
        finally:
            self._committing = None

    async def _commit_group(self, group: list[tuple[Request, asyncio.Future[Reply]]]) -> None:
        replies: Sequence[Reply | Exception]
        try:
            replies = await run_in_threadpool(self._commit, [request for request, _ in group])
        except Exception as error:
            replies = [error for _ in group]
        for (_, future), reply in zip(group, replies, strict=True):
            # The caller of one may have gone: its request is committed all the same.
            if future.done():
                continue
            if isinstance(reply, Exception):
                future.set_exception(reply)
            else:
                future.set_result(reply)
