"""Notifies long polls that there may be a job to claim; they poll as well."""

import asyncio
from collections.abc import Callable


class Notifier:
    """Wakes the coroutines of one event loop that wait for news; any thread may notify."""

    def __init__(self) -> None:
        self.closed = False
        self.forward: Callable[[], None] = lambda: None
        """Passes a notification on to the other servers; must return at once."""
        self._count = 0
        self._loop: asyncio.AbstractEventLoop | None = None
        self._notified = asyncio.Event()

    def attach(self) -> None:
        """Belong to the running event loop; called once, at the start of the server."""
        self._loop = asyncio.get_running_loop()

    @property
    def count(self) -> int:
        """How many notifications there were; read it before looking for work."""
        return self._count

    def notify(self) -> None:
        """Wake everybody who waits, here and at the other servers; from any thread."""
        self.notify_local()
        self.forward()

    def notify_local(self) -> None:
        """Wake everybody who waits at this server; from any thread."""
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._wake)

    def close(self) -> None:
        """End every long poll: the server ends."""
        self.closed = True
        self.notify_local()

    async def wait(self, count: int, timeout_seconds: float) -> None:
        """Return at a notification since `count` was read, or after the timeout."""
        if self._count != count:
            return
        try:
            await asyncio.wait_for(self._notified.wait(), timeout_seconds)
        except TimeoutError:
            return

    def _wake(self) -> None:
        self._count += 1
        self._notified.set()
        self._notified = asyncio.Event()
