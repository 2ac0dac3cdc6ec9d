"""What the commands print: the one edge at which texts of users meet a terminal.

Names, messages and logs may hold control characters, which a terminal interprets: they are shown as
escapes such as `\\x1b`, so that none moves the cursor, forges a row or hides a part of one.
"""

import io
import json
import os
import re
import sys
import unicodedata
from collections.abc import Iterable, Iterator
from pathlib import Path

import typer
from rich.console import Console
from rich.text import Text

_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
"""Control characters, formats such as those of direction, surrogates, separators of lines."""

_JOINERS = frozenset("\u200c\u200d")
"""Formats that words of some scripts and many emoji are made with."""

_SEQUENCE = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]"  # colours, the cursor
    r"|(?:\x1b\]|\x9d)[^\x07\x1b\x9c\n]*(?:\x07|\x1b\\|\x9c)"  # titles, links
    r"|\x1b[ -/]*[0-OQ-WYZ\\`-~]"  # character sets
)
"""The control sequences of ECMA-48 that programs colour their output with."""

_CUT_SEQUENCE = re.compile(
    r"(?:\x1b[ -/]*|(?:\x1b\[|\x9b)[0-?]*[ -/]*|(?:\x1b\]|\x9d)[^\x07\x1b\x9c\n]{0,500}\x1b?)\Z"
)
"""The begin of such a sequence at the end of a text."""

_IN_LOGS = "\n\r\t\b"


def escape_stdout_errors() -> None:
    """Have a character that the terminal's encoding lacks printed as an escape."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def echo(text: str) -> None:
    """Print a text as one line."""
    typer.echo(visible(text))


def echo_error(text: str) -> None:
    """Print a text on stderr; the lines after the first are indented, so that none forges another
    message."""
    typer.echo("\n  ".join(visible(line.strip()) for line in text.split("\n")), err=True)


def echo_json(text: str) -> None:
    """Print JSON; what a terminal would interpret is escaped as JSON escapes it."""
    typer.echo("".join(each if _is_shown(each, "\n") else _json_escape(each) for each in text))


def echo_csv(text: str) -> None:
    """Print CSV: as it is, and on a terminal with escapes for what that would interpret."""
    typer.echo(visible(text, "\n") if sys.stdout.isatty() else text, nl=False, color=True)


def echo_log(texts: Iterable[str]) -> None:
    """Print a log as it arrives: on a terminal without control sequences, else as it is."""
    for text in visible_log(texts) if sys.stdout.isatty() else texts:
        # click would take the colours out of what a pipe gets.
        typer.echo(text, nl=False, color=True)


def echo_path(path: Path) -> None:
    """Print the path of a file: for a program that reads it, byte for byte."""
    typer.echo(visible(str(path)) if sys.stdout.isatty() else os.fsencode(path))


def console(*, stderr: bool = False) -> Console:
    """A console that reads no markup in what it prints, with colours on a terminal alone.

    NO_COLOR takes the colours away there, and FORCE_COLOR has them in a pipe, too.
    """
    return _Console(stderr=stderr, highlight=False, markup=False, emoji=False)


class _Console(Console):
    def on_broken_pipe(self) -> None:
        """Let the group of commands answer it, as it does where no console prints."""
        raise BrokenPipeError


def styled(text: str, style: str) -> Text:
    """A text in a style of rich."""
    return Text(text, style=style)


def is_screen(console: Console) -> bool:
    """Whether lines of the console can be redrawn, whatever the environment says of colours."""
    return console.file.isatty() and not console.is_dumb_terminal


def visible(text: str, kept: str = "") -> str:
    """The text with an escape for each character but `kept` that a terminal interprets or hides."""
    return "".join(
        each if _is_shown(each, kept) else each.encode("unicode_escape").decode() for each in text
    )


def visible_log(texts: Iterable[str]) -> Iterator[str]:
    """The parts of a log without colours and other control sequences, also of those that two parts
    share; lines, tabs and the carriage returns of progress bars stay."""
    rest = ""
    for text in texts:
        whole = _SEQUENCE.sub("", rest + text)
        cut = _CUT_SEQUENCE.search(whole)
        end = cut.start() if cut else len(whole)
        rest = whole[end:]
        yield visible(whole[:end], _IN_LOGS)
    yield visible(rest, _IN_LOGS)


def _is_shown(character: str, kept: str) -> bool:
    return (
        unicodedata.category(character) not in _HIDDEN or character in _JOINERS or character in kept
    )


def _json_escape(character: str) -> str:
    return json.dumps(character, allow_nan=False)[1:-1]
