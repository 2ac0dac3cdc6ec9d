"""What the control plane refuses, and why; the HTTP edge gives each its status.

TrainyardError
├── Forbidden           what the role, or the owner, does not allow
├── NotFound            no_such_job, no_such_checkpoint, no_checkpoint, no_such_file, no_log, …
├── Conflict            a state that does not allow it
│   └── LeaseLost       the attempt is not the live one any more
├── Stale               it has changed since the caller read it
├── Unprocessable       well formed, but it cannot be meant: names the field
│   ├── InvalidFields   several fields at once
│   └── IdempotencyMismatch
├── Gone                it was there; its bytes were removed
├── TooMany             more at a time than one caller may have
└── Unavailable         the volume does not answer
"""

from collections.abc import Sequence

from service.contract.errors import FieldProblem


class TrainyardError(Exception):
    """A refusal with a machine-readable `code`; the message says what to change."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class Forbidden(TrainyardError):
    """The caller's role does not allow it, or the thing is somebody else's."""


class NotFound(TrainyardError):
    """There is no such thing."""


class Conflict(TrainyardError):
    """The thing is there, and its state does not allow it."""


class LeaseLost(Conflict):
    """A write that found no live attempt: the worker ends the processes and reports nothing."""

    def __init__(self, job_id: str, attempt: int) -> None:
        super().__init__("lease_lost", f"attempt {attempt} of {job_id} is not the live one")


class Stale(TrainyardError):
    """It has changed since the caller read it."""


class Unprocessable(TrainyardError):
    """A submission that cannot be meant; `pointer` is a JSON pointer to the field."""

    def __init__(self, code: str, message: str, pointer: str = "") -> None:
        super().__init__(code, message)
        self.pointer = pointer


class InvalidFields(Unprocessable):
    """Fields that cannot be meant, each with a JSON pointer and what to change."""

    def __init__(self, errors: Sequence[FieldProblem]) -> None:
        sentences = (f"{e.pointer.lstrip('/') or 'body'}: {e.detail}" for e in errors[:3])
        super().__init__("invalid", "; ".join(sentences))
        self.errors = tuple(errors)


class IdempotencyMismatch(Unprocessable):
    """The key was used with another body."""

    def __init__(self) -> None:
        super().__init__(
            "idempotency_mismatch",
            "this Idempotency-Key came with another body before; use a new key for a new job",
        )


class Gone(TrainyardError):
    """It was there, and its bytes were removed."""


class TooMany(TrainyardError):
    """More at a time than one caller may have: asking again later may do."""


class Unavailable(TrainyardError):
    """What is needed for an answer is away for now: asking again may do."""
