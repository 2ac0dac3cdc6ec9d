"""What MkDocs calls while it builds: makes the reference, and undoes links to source files."""

import re
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

from guide.reference import api, client, commands, parameters, settings

_PAGES = {
    "reference/parameters.md": parameters.page,
    "reference/settings.md": settings.page,
    "reference/commands.md": commands.page,
    "reference/api.md": api.page,
    "reference/client.md": client.page,
}
_OUT_OF_DOCS = re.compile(r"\[([^\]]+)\]\((?:\.\./)+[^)]*\)")
_NOTEBOOK = re.compile(r"\[([^\]]+)\]\((?:docs/)?notebooks/?\)")


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages that are made from the code."""
    for path, page in _PAGES.items():
        files.append(File.generated(config, path, content=page()))
    return files


def on_post_page(output: str, **_: Any) -> str:
    """The page with a name for its search dialog, which the theme leaves without one."""
    return output.replace('role="dialog"', 'role="dialog" aria-label="Search"')


def on_page_markdown(markdown: str, **_: Any) -> str:
    """A link to a file of the repository, which the site does not have, becomes its text."""
    return _NOTEBOOK.sub(r"\1", _OUT_OF_DOCS.sub(r"\1", markdown))
