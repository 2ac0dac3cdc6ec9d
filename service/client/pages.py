"""Lists whose items are requested as they are needed."""

from collections import deque
from collections.abc import AsyncIterator, Iterator
from itertools import islice
from typing import Generic, Self, TypeVar

from service.client import html
from service.client.tables import table_of

_T = TypeVar("_T")
_SHOWN = 20
"""The most items of a list that a notebook shows."""


class Pages(Iterator[_T]):
    """An iterator over the items of a list; a page is requested when its first item is needed.

    A notebook shows the next 20 items, and takes none away.
    """

    def __init__(self, items: Iterator[_T]) -> None:
        self._items = items
        self._ahead: deque[_T] = deque()

    def __next__(self) -> _T:
        return self._ahead.popleft() if self._ahead else next(self._items)

    def first(self, count: int) -> list[_T]:
        """The next `count` items, or as many as there are."""
        return list(islice(self, count))

    def _repr_html_(self) -> str:
        self._ahead.extend(islice(self._items, max(_SHOWN + 1 - len(self._ahead), 0)))
        shown = list(islice(self._ahead, _SHOWN))
        more = f"The first {_SHOWN}; there are more." if len(self._ahead) > _SHOWN else ""
        return table_of(shown, more) if shown else html.note("There are none.")


class Text(Pages[str]):
    """A text in parts, each requested when it is needed; `print` shows the rest of it."""

    def __str__(self) -> str:
        self._ahead.extend(self._items)
        return "".join(self._ahead)

    def _repr_html_(self) -> str:
        return html.preformatted(str(self))


class ItemList(list[_T]):
    """A list that a notebook shows as a table."""

    def _repr_html_(self) -> str:
        shown, left = self[:_SHOWN], len(self) - _SHOWN
        more = f"The first {_SHOWN}; there are {left} more." if left > 0 else ""
        return table_of(shown, more) if shown else html.note("There are none.")


class AsyncPages(AsyncIterator[_T], Generic[_T]):
    """An iterator over the items of a list; a page is requested when its first item is needed."""

    def __init__(self, items: AsyncIterator[_T]) -> None:
        self._items = items

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> _T:
        return await anext(self._items)

    async def first(self, count: int | None = None) -> list[_T]:
        """The next `count` items, or as many as there are; without `count` all."""
        taken: list[_T] = []
        while count is None or len(taken) < count:
            try:
                taken.append(await anext(self))
            except StopAsyncIteration:
                break
        return taken
