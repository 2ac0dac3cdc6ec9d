"""The exit statuses of the commands: which one tells of which failure."""

from enum import IntEnum

from service.client import (
    ApiError,
    InvalidConnection,
    InvalidRequest,
    MissingPackage,
    ServerUnreachable,
    StillRunning,
    TrainyardError,
    UnexpectedAnswer,
)


class ExitCode(IntEnum):
    """What the exit status of a command says."""

    DONE = 0
    FAILED = 1
    """The job or the sweep failed or was cancelled, a check found a problem, or this machine
    refused something, such as a full disk."""
    USAGE = 2
    """An argument, an option, a file or a variable of the environment cannot be used."""
    REFUSED = 3
    """The server refused the request: its state, its rules or the token do not allow it."""
    NOT_FOUND = 4
    """The server knows no such job, sweep, checkpoint, worker or file."""
    NO_SERVER = 5
    """No server answers at the address, it cannot serve now, or another program answers there."""
    TIMEOUT = 6
    """The job or the sweep has not ended within --timeout."""
    INTERRUPTED = 130
    """Ctrl-C; jobs on the server go on."""
    CLOSED_PIPE = 141
    """The program that reads the output has ended, as `head` does."""


class BadInput(TrainyardError):
    """An option, argument or file cannot be used; the message says what to change."""


class MissingExtra(TrainyardError):
    """A command needs a part of the distribution that is not installed."""


class Failed(TrainyardError):
    """A job or a check did not succeed; the message says why."""


class UnknownReference(TrainyardError):
    """Nothing has this id or name."""


class PartlyRefused(TrainyardError):
    """The server refused a part of what was asked for."""


_CODES: tuple[tuple[type[TrainyardError], ExitCode], ...] = (
    (BadInput, ExitCode.USAGE),
    (MissingExtra, ExitCode.USAGE),
    (InvalidConnection, ExitCode.USAGE),
    (InvalidRequest, ExitCode.USAGE),
    (MissingPackage, ExitCode.USAGE),
    (PartlyRefused, ExitCode.REFUSED),
    (UnknownReference, ExitCode.NOT_FOUND),
    (ServerUnreachable, ExitCode.NO_SERVER),
    (UnexpectedAnswer, ExitCode.NO_SERVER),
    (StillRunning, ExitCode.TIMEOUT),
    (TrainyardError, ExitCode.FAILED),
)
"""The first row that fits an exception counts; an ApiError has the code of its HTTP status."""


def exit_code_of(error: TrainyardError) -> ExitCode:
    """The exit status of a command that ends with `error`."""
    if isinstance(error, ApiError):
        return _code_of_status(error.status)
    return next(code for kind, code in _CODES if isinstance(error, kind))


def _code_of_status(status: int) -> ExitCode:
    if status == 404:
        return ExitCode.NOT_FOUND
    return ExitCode.NO_SERVER if status >= 500 else ExitCode.REFUSED
