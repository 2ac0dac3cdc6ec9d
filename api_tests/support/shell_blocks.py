"""The lines of the documents that a reader pastes into a shell."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)


def shell_blocks(document: Path, kinds: tuple[str, ...] = ("sh",)) -> list[str]:
    """The code blocks of these kinds, in the document's order."""
    return [text for kind, text in _BLOCK.findall(document.read_text()) if kind in kinds]
