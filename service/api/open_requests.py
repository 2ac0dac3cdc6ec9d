"""A limit to how many requests of a caller stay open: streams, and polls that wait for news."""

from collections import Counter
from collections.abc import Hashable, Iterator
from contextlib import contextmanager

from service.domain.errors import TooMany


class OpenRequests:
    """Counts the open requests of each caller; belongs to one event loop."""

    def __init__(self, most: int) -> None:
        self._most, self._open = most, Counter[Hashable]()

    @contextmanager
    def one_of(self, caller: Hashable) -> Iterator[None]:
        """Hold a place until the block is left; raises TooMany if all are taken."""
        if self._open[caller] >= self._most:
            raise TooMany(
                "too_many_open_requests",
                f"{self._most} streams and waiting polls of this token, or of this address, are "
                "open: end some, or raise TRAINYARD_OPEN_REQUESTS of the server",
            )
        self._open[caller] += 1
        try:
            yield
        finally:
            self._open[caller] -= 1
            if not self._open[caller]:
                del self._open[caller]
