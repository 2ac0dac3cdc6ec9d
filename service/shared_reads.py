"""Reads that are asked for at the same time are made once."""

import asyncio
from collections.abc import Callable, Hashable
from contextvars import Context
from typing import Generic, TypeVar

from starlette.concurrency import run_in_threadpool

Key = TypeVar("Key", bound=Hashable)
Reply = TypeVar("Reply")


class SharedReads(Generic[Key, Reply]):
    """Gives each key to `read`, in a thread, once for all that ask for it before it begins.

    A reply is as new as one of a read of its own: whoever asks while a read of the same key is
    under way waits for the next one. Other keys are read beside it. Belongs to one event loop.
    """

    def __init__(self, read: Callable[[Key], Reply]) -> None:
        self._read = read
        self._coming: dict[Key, asyncio.Task[Reply]] = {}
        self._under_way: dict[Key, asyncio.Task[Reply]] = {}

    async def reply(self, key: Key) -> Reply:
        """The reply to a key; raises what its read raises."""
        read = self._coming.get(key)
        if read is None:
            # It outlives the request that began it: what it logs has not that one's id.
            read = asyncio.create_task(self._read_next(key), context=Context())
            self._coming[key] = read
        return await asyncio.shield(read)

    async def _read_next(self, key: Key) -> Reply:
        before = self._under_way.get(key)
        if before is not None:
            await asyncio.wait([before])
        self._under_way[key] = self._coming.pop(key)
        try:
            return await run_in_threadpool(self._read, key)
        finally:
            del self._under_way[key]
