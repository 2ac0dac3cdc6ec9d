"""File names and paths as texts for messages."""

import os

_LONGEST = 1000


def printable(name: str) -> str:
    """The name with control characters, line breaks and bytes that are not UTF-8 escaped.

    A name of more than 1,000 characters is shortened in its middle.
    """
    text = "".join(c if c.isprintable() else _escaped(c) for c in name)
    if len(text) <= _LONGEST:
        return text
    half = _LONGEST // 2
    return f"{text[:half]}…{text[-half:]}"


def path_below(folder: str, relative: str) -> str:
    """The printable path of a file in a folder; `relative` may be empty."""
    return printable(os.path.normpath(os.path.join(folder, relative)))


def _escaped(character: str) -> str:
    if "\udc80" <= character <= "\udcff":
        # Python's name of a byte of a file name that is not UTF-8 (PEP 383).
        return f"\\x{ord(character) - 0xDC00:02x}"
    return character.encode("unicode_escape", "surrogatepass").decode("ascii")
