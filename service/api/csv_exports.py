"""Tables of any length as CSV: read and sent in parts, beside the event loop."""

import json
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

import anyio.to_thread
from anyio import CapacityLimiter
from fastapi.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from service.contract.csv_text import MEDIA_TYPE, Cell, csv_text
from service.contract.flat_rows import Row

PART_ROWS = 500
"""Rows that are read and sent at a time."""
MOST_NAMED = 1_000
"""Columns of names that not every row has; what others have is JSON in the column `other`."""
_OTHER = "other"
_AT_ONCE = 2

Parts = Iterator[Sequence[Row]]
"""The rows of a table, each part read in a transaction of its own."""


@dataclass(frozen=True)
class Table:
    """A table for a file `<name>.csv`, whose rows are read by `parts`.

    `columns` are those in front, or all of them if it is `complete`; else the names that the rows
    have beside them are read first, so that `parts` is called twice.
    """

    name: str
    columns: Sequence[str]
    parts: Callable[[], Parts]
    complete: bool = True

    def texts(self) -> Iterator[str]:
        """The CSV in parts; each step reads the next rows."""
        columns, other = self.columns, False
        if not self.complete:
            names = {name for part in self.parts() for row in part for name in row}
            named = sorted(names - set(columns))
            columns, other = [*columns, *named[:MOST_NAMED]], len(named) > MOST_NAMED
        yield csv_text([[*columns, *([_OTHER] if other else [])]])
        for part in self.parts():
            yield csv_text(_cells(row, columns, other=other) for row in part)


class CsvResponse(StreamingResponse):
    """A table as a download.

    Of all that are sent at the same time two read rows, in threads that no route needs; a client
    that reads slowly holds none.
    """

    def __init__(self, table: Table, limiter: CapacityLimiter) -> None:
        headers = {
            "Content-Disposition": f'attachment; filename="{table.name}.csv"',
            "Cache-Control": "no-store",
        }
        super().__init__(_sent(table.texts(), limiter), media_type=MEDIA_TYPE, headers=headers)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] == "HEAD":
            self.body_iterator = _nothing()
        await super().__call__(scope, receive, send)


def export_limiter() -> CapacityLimiter:
    """How many tables of one server read rows at the same time."""
    return CapacityLimiter(_AT_ONCE)


def part_by_part(rows: Iterable[Row]) -> Parts:
    """Rows that are in memory already, in parts."""
    part: list[Row] = []
    for row in rows:
        part.append(row)
        if len(part) == PART_ROWS:
            yield part
            part = []
    yield part


async def _sent(texts: Iterator[str], limiter: CapacityLimiter) -> AsyncIterator[str]:
    while (text := await anyio.to_thread.run_sync(next, texts, None, limiter=limiter)) is not None:
        yield text


async def _nothing() -> AsyncIterator[str]:
    return
    yield


def _cells(row: Row, columns: Sequence[str], *, other: bool) -> list[Cell]:
    cells = [row.get(name) for name in columns]
    if other:
        left = row.keys() - set(columns)
        values = {name: row[name] for name in sorted(left)}
        cells.append(json.dumps(values, ensure_ascii=False, allow_nan=False) if left else None)
    return cells
