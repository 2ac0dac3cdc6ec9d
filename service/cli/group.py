"""Error handling of the commands: a sentence on stderr, and an exit status."""

from typing import Any

import typer
from typer.core import TyperGroup

from service.client import TrainyardError
from service.contract.sentences import without_prefix


class BadInput(TrainyardError):
    """An option, argument or file cannot be used; the message says what to change."""


class MissingExtra(TrainyardError):
    """A command needs a part of the distribution that is not installed."""


class Group(TyperGroup):
    """A group of commands that prints a TrainyardError as a sentence on stderr."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command; a TrainyardError ends it with status 1, a MissingExtra with 2."""
        try:
            return super().invoke(ctx)
        except typer.BadParameter as error:
            error.message = without_prefix(error.message)
            raise
        except MissingExtra as error:
            typer.echo(str(error), err=True)
            raise typer.Exit(2) from error
        except TrainyardError as error:
            typer.echo(f"trainyard: {error}", err=True)
            raise typer.Exit(1) from error
