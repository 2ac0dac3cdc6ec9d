"""How the commands end: an error is a sentence on stderr and status 1."""

from typing import Any

import typer
from typer.core import TyperGroup

from service.client import TrainyardError


class BadInput(TrainyardError):
    """What the user gave cannot be used; the message says what to change."""


class Group(TyperGroup):
    """Turns the errors of every command, and of its sub-commands, into sentences."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command."""
        try:
            return super().invoke(ctx)
        except TrainyardError as error:
            typer.echo(f"trainyard: {error}", err=True)
            raise typer.Exit(1) from error
