"""The page of the commands, from the commands themselves."""

from collections.abc import Iterator
from typing import Any

import typer

from guide.reference.text import code, plain, table
from service.cli import app

_INTRODUCTION = """# Commands in full

What `trainyard COMMAND --help` prints, for all commands. How things are named, files of jobs, exit
statuses and the use in scripts are told in [Commands](../commands.md).
"""


def page() -> str:
    """Every command with its arguments and options; hidden ones, which are old names, are not."""
    group = typer.main.get_command(app)
    context = typer.Context(group, info_name="trainyard")
    return "\n\n".join((_INTRODUCTION, *_commands(group, context))) + "\n"


def _commands(command: Any, context: typer.Context) -> Iterator[str]:
    subcommands = getattr(command, "commands", None)
    if subcommands is None or (command.callback and command.name != "trainyard"):
        yield _command(command, context)
    for name, each in (subcommands or {}).items():
        if not each.hidden:
            yield from _commands(each, type(context)(each, info_name=name, parent=context))


def _command(command: Any, context: typer.Context) -> str:
    usage = " ".join((context.command_path, *command.collect_usage_pieces(context)))
    parts = [f"## {context.command_path}", f"    {usage}", *_paragraphs(command.help or "")]
    records = [each.get_help_record(context) for each in command.get_params(context)]
    rows = [(code(names.strip()), plain(text)) for names, text in filter(None, records)]
    if rows:
        parts.append(table(("option", "meaning"), rows))
    return "\n\n".join(parts)


def _paragraphs(text: str) -> list[str]:
    return [plain(paragraph) for paragraph in text.split("\n\n")]
