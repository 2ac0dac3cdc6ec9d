"""How a long poll learns that there may be something to claim; polling stays the truth."""

import asyncio
from collections.abc import Callable


class Notifier:
    """A bell that any thread may ring, and that coroutines of one loop wait for."""

    def __init__(self) -> None:
        self.closed = False
        self.tell: Callable[[], None] = lambda: None
        """Passes a ring on to the other servers; must return at once."""
        self._count = 0
        self._loop: asyncio.AbstractEventLoop | None = None
        self._rung = asyncio.Event()

    def attach(self) -> None:
        """Belong to the running loop; called once, at the start of the server."""
        self._loop = asyncio.get_running_loop()

    @property
    def count(self) -> int:
        """How often it rang; read it before looking for work."""
        return self._count

    def ring(self) -> None:
        """Wake everybody who waits, here and at the other servers; from any thread."""
        self.heard()
        self.tell()

    def heard(self) -> None:
        """Wake everybody who waits here."""
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._ring)

    def close(self) -> None:
        """Let every long poll go: the server ends."""
        self.closed = True
        self.heard()

    async def wait(self, count: int, timeout_seconds: float) -> None:
        """Return when it rang since `count` was read, or after the timeout."""
        if self._count != count:
            return
        try:
            await asyncio.wait_for(self._rung.wait(), timeout_seconds)
        except TimeoutError:
            return

    def _ring(self) -> None:
        self._count += 1
        self._rung.set()
        self._rung = asyncio.Event()
