"""The files that docs/extending.md shows."""

import re
from pathlib import Path

DOC = Path(__file__).parents[2] / "docs" / "extending.md"
_SHOWN = re.compile(r"^`([\w/.]+)`(?:(?!\n\n).)*:\n\n```\w+\n(.*?)^```$", re.DOTALL | re.MULTILINE)


def doc_files() -> dict[str, str]:
    """Path -> text of each file shown; the path stands at the start of the paragraph before it."""
    text = DOC.read_text()
    return {match[1]: match[2] for match in _SHOWN.finditer(text)}
