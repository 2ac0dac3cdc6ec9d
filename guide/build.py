"""Builds the site with MkDocs, strictly, and makes its pages fit for a server without internet."""

import shutil
import tempfile
from pathlib import Path

from mkdocs.commands import build as mkdocs
from mkdocs.config import load_config

from guide.inline_scripts import move_inline_scripts

ROOT = Path(__file__).parents[1]
GUIDE = ROOT / "service" / "guide"
"""Where the server looks for it; no file of it is in the repository."""


class UnfitPage(Exception):
    """A page of the site would load something from another server; the message says what."""


def build(target: Path) -> None:
    """Build the guide, and put it in the place of the folder `target`.

    Raises what MkDocs raises for a broken link or a page that the navigation lacks, and UnfitPage.
    """
    with tempfile.TemporaryDirectory() as folder:
        site = Path(folder) / "guide"
        config = load_config(str(ROOT / "mkdocs.yml"), site_dir=str(site), strict=True)
        mkdocs.build(config)
        # Of the search only the English one is used; the rest is a megabyte.
        shutil.rmtree(site / "assets" / "javascripts" / "lunr")
        for unwanted in (*site.rglob("*.gz"), *site.rglob("*.map"), site / "sitemap.xml"):
            unwanted.unlink(missing_ok=True)
        move_inline_scripts(site)
        shutil.rmtree(target, ignore_errors=True)
        shutil.copytree(site, target)
