"""Moves the scripts that stand in pages to files, since the server's policy runs none in a page."""

import hashlib
import os
import re
from pathlib import Path

_INLINE = re.compile(r"<script>(.*?)</script>", re.DOTALL)
_FOLDER = "assets/inline"


def move_inline_scripts(site: Path) -> None:
    """Write each inline script of the pages below `site` to a file that is named by its digest.

    Scripts with a type, such as JSON, are data: they stay.
    """
    folder = site / _FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    for page in site.rglob("*.html"):
        page.write_text(_without_inline(page, folder), encoding="utf-8")


def _without_inline(page: Path, folder: Path) -> str:
    def moved(match: re.Match[str]) -> str:
        name = f"{hashlib.sha256(match[1].encode()).hexdigest()[:16]}.js"
        (folder / name).write_text(match[1], encoding="utf-8")
        address = os.path.relpath(folder / name, page.parent)
        return f'<script src="{address}"></script>'

    return _INLINE.sub(moved, page.read_text(encoding="utf-8"))
