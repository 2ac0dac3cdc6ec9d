"""Error handling of the commands: a sentence on stderr, and exit status 1."""

from typing import Any

import typer
from typer.core import TyperGroup

from service.client import TrainyardError


class BadInput(TrainyardError):
    """An option, argument or file cannot be used; the message says what to change."""


class Group(TyperGroup):
    """A group of commands that prints a TrainyardError as a sentence on stderr."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command; a TrainyardError ends the program with status 1."""
        try:
            return super().invoke(ctx)
        except TrainyardError as error:
            typer.echo(f"trainyard: {error}", err=True)
            raise typer.Exit(1) from error
