"""Tables of the commands: no id in them is ever cut or broken, however narrow the terminal is."""

import re
from collections.abc import Iterable, Sequence

from rich.table import Table
from rich.text import Text

from service.cli import terminal

_WIDER_THAN_ANY_ROW = 10_000
_NARROWEST_COLUMN = 6
_ID = re.compile(r"(?:job|ckpt|wrk|whk|evt|swp)_\w+")
_STYLES = {
    "succeeded": "green",
    "active": "green",
    "running": "cyan",
    "train": "cyan",
    "failed": "red",
    "lost": "red",
    "damaged": "red",
    "quarantined": "red",
    "unreachable": "yellow",
    "cancelled": "yellow",
    "draining": "yellow",
    "paused": "yellow",
    "enabled": "green",
    "disabled": "yellow",
    "delivered": "green",
    "pending": "yellow",
    "finished": "green",
    "stopped": "yellow",
    "refused": "red",
    "live": "cyan",
}
"""By the text of a cell its colour on a terminal."""


def print_table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print rows as a table; without a terminal, each row is one line however long."""
    texts = [tuple(map(terminal.visible, row)) for row in rows]
    console = terminal.console()
    if terminal.is_screen(console):
        console.width = max(console.width, narrowest_width(columns, texts))
    else:
        console.width = _WIDER_THAN_ANY_ROW
    console.print(table_of(columns, texts))


def table_of(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> Table:
    """The table of rows whose texts a terminal can show."""
    table = Table(box=None, pad_edge=False)
    for number, title in enumerate(columns):
        width = _id_width(number, rows)
        table.add_column(title, no_wrap=width > 0, min_width=width or None, overflow="fold")
    for row in rows:
        table.add_row(*(Text(text, style=_STYLES.get(text, "")) for text in row))
    return table


def narrowest_width(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> int:
    """The characters that the ids of the rows need in a line, with a little of everything else."""
    widths = (_id_width(number, rows) or _NARROWEST_COLUMN for number in range(len(columns)))
    return sum(widths) + len(columns) - 1


def _id_width(number: int, rows: Sequence[Sequence[str]]) -> int:
    """The length of the longest id in a column; 0 for a column without ids."""
    ids = (row[number] for row in rows if _ID.fullmatch(row[number]))
    return max(map(len, ids), default=0)
