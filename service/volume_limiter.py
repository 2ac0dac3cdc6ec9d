"""Limits the concurrent calls to the volume, so that a hanging volume cannot block every thread."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from service.domain.errors import Unavailable

_TIMEOUT_SECONDS = 5.0


class CallLimit:
    """Lets at most `limit` calls run at once; a further call waits a few seconds."""

    def __init__(self, limit: int) -> None:
        self._free = asyncio.Semaphore(limit)

    @asynccontextmanager
    async def acquire(self) -> AsyncIterator[None]:
        """Count the block as one call; raises Unavailable if no call ends within five seconds."""
        try:
            async with asyncio.timeout(_TIMEOUT_SECONDS):
                await self._free.acquire()
        except TimeoutError:
            raise Unavailable(
                "volume_busy",
                "the volume is busy or does not answer: try again, and check that it is mounted",
            ) from None
        try:
            yield
        finally:
            self._free.release()

    @asynccontextmanager
    async def pause(self) -> AsyncIterator[None]:
        """Let another call run during the block, within `acquire`; its end waits for a free one."""
        self._free.release()
        try:
            yield
        finally:
            await self._free.acquire()


@dataclass(frozen=True)
class VolumeLimiter:
    """The limits of three kinds of calls, which leave twelve of the server's forty threads free.

    `lookups` find a file or read a part of it, `downloads` read the next part of a file that is
    sent, `scans` read whole folders.
    """

    lookups: CallLimit = field(default_factory=lambda: CallLimit(8))
    downloads: CallLimit = field(default_factory=lambda: CallLimit(16))
    scans: CallLimit = field(default_factory=lambda: CallLimit(4))
