"""Parts of pages in Markdown, in which texts of the code are plain text."""

import html
from collections.abc import Iterable, Sequence

_MARKUP = str.maketrans({each: f"\\{each}" for each in "*_[]#"})


def plain(text: str) -> str:
    """A text on one line, none of which is markup, but what stands in backquotes."""
    parts = " ".join(text.split()).split("`")
    return "`".join(
        part if number % 2 else html.escape(part, quote=False).translate(_MARKUP)
        for number, part in enumerate(parts)
    )


def code(text: str) -> str:
    """A text in the font of code; nothing for an empty one."""
    return f"`{text}`" if text else ""


def table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table, whose cells are Markdown."""
    lines = [columns, ["---"] * len(columns), *rows]
    return "\n".join("| " + " | ".join(map(_cell, line)) + " |" for line in lines)


def _cell(text: str) -> str:
    # In code a backslash would be shown, and a bar there ends no cell.
    parts = text.split("`")
    return "`".join(
        part if number % 2 else part.replace("|", "\\|") for number, part in enumerate(parts)
    )
