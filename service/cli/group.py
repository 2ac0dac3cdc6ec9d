"""Error handling of the commands: a sentence on stderr, and an exit status."""

import os
import sys
from typing import Any

import typer
from typer.core import TyperGroup

from service.cli import terminal
from service.cli.exit_codes import ExitCode, MissingExtra, exit_code_of
from service.client import TrainyardError
from service.contract.sentences import without_prefix


class Group(TyperGroup):
    """A group of commands that prints a TrainyardError, and what the system refused, as a sentence
    on stderr."""

    def main(self, *args: Any, **kwargs: Any) -> Any:
        """Run the program; an OSError, such as that of a full disk, ends it with status 1."""
        terminal.escape_stdout_errors()
        # An error is a plain sentence; typer would draw a box around it.
        self.rich_markup_mode = None
        try:
            return super().main(*args, **kwargs)
        except OSError as error:
            _discard_output()
            parts = (error.filename, error.strerror or str(error))
            terminal.echo_error(f"trainyard: {': '.join(str(part) for part in parts if part)}")
            sys.exit(ExitCode.FAILED)

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Print the commands in groups."""
        self.rich_markup_mode = "rich"
        super().format_help(ctx, formatter)

    def invoke(self, ctx: Any) -> Any:
        """Run the command; an error ends it with the status that `exit_codes` has for it."""
        try:
            result = super().invoke(ctx)
            if sys.stdout is not None:
                # While a closed pipe can still be told from another end.
                sys.stdout.flush()
            return result
        except typer.BadParameter as error:
            error.message = without_prefix(error.message)
            raise
        except MissingExtra as error:
            terminal.echo_error(str(error))
            raise typer.Exit(exit_code_of(error)) from error
        except TrainyardError as error:
            terminal.echo_error(f"trainyard: {error}")
            raise typer.Exit(exit_code_of(error)) from error
        except BrokenPipeError as error:
            _discard_output()
            raise typer.Exit(ExitCode.CLOSED_PIPE) from error


def _discard_output() -> None:
    # What is left in the buffer of a full stdout would fail once more when the process ends.
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
