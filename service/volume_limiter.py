"""Turns at the volume: one that hangs must not take all of the server's threads with it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from service.domain.errors import Unavailable

_PATIENCE_SECONDS = 5.0


class CallLimit:
    """At most `limit` calls at once; another one waits some seconds for its turn."""

    def __init__(self, limit: int) -> None:
        self._free = asyncio.Semaphore(limit)

    @asynccontextmanager
    async def taken(self) -> AsyncIterator[None]:
        """A turn for as long as the block takes; raises Unavailable if none comes free."""
        try:
            async with asyncio.timeout(_PATIENCE_SECONDS):
                await self._free.acquire()
        except TimeoutError:
            raise Unavailable(
                "volume_busy",
                "the volume is busy or does not answer: try again, and see whether it is mounted",
            ) from None
        try:
            yield
        finally:
            self._free.release()


@dataclass(frozen=True)
class VolumeLimiter:
    """One kind does not wait for another; all of them leave a dozen of the forty threads free.

    `looks` find a file or read some of it, `downloads` send one, `works` go through whole folders.
    """

    looks: CallLimit = field(default_factory=lambda: CallLimit(8))
    downloads: CallLimit = field(default_factory=lambda: CallLimit(16))
    works: CallLimit = field(default_factory=lambda: CallLimit(4))
