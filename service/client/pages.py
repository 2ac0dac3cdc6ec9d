"""Lists whose items are requested as they are needed."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Iterator
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Generic, Self, TypeVar

from service.client import html
from service.client.item_rows import row_of
from service.client.table_files import Rows, Tabular
from service.client.tables import table_of
from service.contract.flat_rows import Row

if TYPE_CHECKING:
    import pandas

_T = TypeVar("_T")
_SHOWN = 20
"""The most items of a list that a notebook shows."""


class Pages(Iterator[_T], Tabular):
    """An iterator over the items of a list; a page is requested when its first item is needed.

    A notebook shows the next 20 items, and takes none away. `to_pandas`, `to_csv` and `to_parquet`
    take all that are left.
    """

    def __init__(self, items: Iterator[_T]) -> None:
        self._items = items
        self._ahead: deque[_T] = deque()

    def __next__(self) -> _T:
        return self._ahead.popleft() if self._ahead else next(self._items)

    def first(self, count: int) -> list[_T]:
        """The next `count` items, or as many as there are."""
        return list(islice(self, count))

    def _rows(self) -> Iterator[Row]:
        return map(row_of, self)

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


class ItemList(list[_T], Tabular):
    """A list that a notebook shows as a table."""

    def _rows(self) -> Iterator[Row]:
        return map(row_of, self)

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

    async def to_pandas(self) -> "pandas.DataFrame":
        """A table of all that are left; raises MissingPackage without pandas."""
        return (await self._read()).to_pandas()

    async def to_csv(self, path: str | Path) -> Path:
        """Write all that are left into a CSV file, which appears once it is whole; its path."""
        rows = await self._read()
        return await asyncio.to_thread(rows.to_csv, path)

    async def to_parquet(self, path: str | Path) -> Path:
        """Write all that are left into a Parquet file; raises MissingPackage without pyarrow."""
        rows = await self._read()
        return await asyncio.to_thread(rows.to_parquet, path)

    async def _read(self) -> Rows:
        return Rows(map(row_of, await self.first()))
