"""Command lines of the documents are lines that `trainyard` takes."""

import re
import shlex
from collections.abc import Iterator
from typing import Any

import pytest
import typer

from api_tests.support.shell_blocks import ROOT, shell_blocks
from service.cli import app

DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
DOCUMENTS += sorted((ROOT / "docs" / "how-to").glob("*.md"))
_CALL = re.compile(r"(?:\$ )?(?:[A-Z_]+=\S+ )*trainyard ")


def _lines() -> Iterator[tuple[str, list[str]]]:
    """The name of a document and the words of each of its lines that call `trainyard`."""
    for document in DOCUMENTS:
        for block in shell_blocks(document, ("sh", "console")):
            for line in block.replace("\\\n", " ").splitlines():
                if match := _CALL.match(line):
                    yield document.name, shlex.split(line[match.end() :], comments=True)


LINES = list(_lines())


def test_the_documents_have_command_lines() -> None:
    assert len(LINES) > 60
    assert {"README.md", "first-steps.md", "webhooks.md"} <= {name for name, _ in LINES}


@pytest.mark.parametrize(
    "words", [words for _, words in LINES], ids=[f"{name}: {' '.join(w)}" for name, w in LINES]
)
def test_a_line_names_a_command_and_options_that_it_has(words: list[str]) -> None:
    command: Any = typer.main.get_command(app)
    context = typer.Context(command, info_name="trainyard")
    left = list(words)
    while left and left[0] in getattr(command, "commands", {}):
        name = left.pop(0)
        command = command.commands[name]
        context = typer.Context(command, info_name=name, parent=context)
    assert context.parent is not None or left == ["--help"] or left[:1] == ["--install-completion"]
    if not command.context_settings.get("ignore_unknown_options"):
        command.make_parser(context).parse_args(args=left)
