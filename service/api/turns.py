"""Turns at the volume: one that hangs must not take all of the server's threads with it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from service.domain.errors import Unavailable


class Turns:
    """At most `limit` calls look at the volume at once, and one waits `patience_seconds` for it.

    Fewer than the threads of the server, so that some are left for heartbeats.
    """

    def __init__(self, limit: int = 16, patience_seconds: float = 5.0) -> None:
        self._free = asyncio.Semaphore(limit)
        self._patience_seconds = patience_seconds

    @asynccontextmanager
    async def taken(self) -> AsyncIterator[None]:
        """A turn for as long as the block takes; raises Unavailable if none comes free."""
        try:
            async with asyncio.timeout(self._patience_seconds):
                await self._free.acquire()
        except TimeoutError:
            raise Unavailable(
                "volume_busy", "the volume does not answer: see whether it is mounted, or try again"
            ) from None
        try:
            yield
        finally:
            self._free.release()
