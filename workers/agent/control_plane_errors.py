"""What goes wrong with a call to the control plane, and how an answer tells it."""

from collections.abc import Mapping, Sequence
from typing import Any

import httpx
from pydantic import TypeAdapter, ValidationError

from service.contract.errors import FieldProblem

LONGEST_PAUSE_SECONDS = 15.0
"""The most between two tries of a call, whatever the control plane asks for."""

_NO_ROUTE = (404, 405)
_FIELD_PROBLEMS = TypeAdapter(list[FieldProblem])


class ControlPlaneError(Exception):
    """What goes wrong with a call.

    ControlPlaneError
    ├── Unreachable       no answer, or one that says to come back: tried again
    └── Refused           an answer that trying again does not change
        ├── Unauthorized  401
        ├── NoSuchRoute   the control plane is of a version without this call
        ├── UnknownWorker the control plane has forgotten this worker: register again
        └── LeaseLost     the attempt is no longer this worker's
    """


class Unreachable(ControlPlaneError):
    """No answer, or one that says to come back, after `retry_after_seconds` if it says when."""

    def __init__(self, message: str, retry_after_seconds: float = 0.0) -> None:
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds


class Refused(ControlPlaneError):
    """An answer that trying again does not change; `problems` names the fields that are wrong."""

    def __init__(self, message: str, problems: Sequence[FieldProblem] = ()) -> None:
        super().__init__(message)
        self.problems = tuple(problems)


class Unauthorized(Refused):
    """The token is missing or wrong."""


class NoSuchRoute(Refused):
    """The control plane is of a version without this call."""


class UnknownWorker(Refused):
    """The control plane has forgotten this worker."""


class LeaseLost(Refused):
    """The attempt is no longer this worker's."""


def error_of(response: httpx.Response) -> ControlPlaneError:
    """The error that an answer without success is."""
    message = f"{response.request.method} {response.url} was answered {response.status_code}"
    if response.status_code in (408, 429) or response.status_code >= 500:
        return Unreachable(message, _retry_after_seconds(response))
    problem = _problem(response)
    message = f"{message}: {problem.get('detail', response.text[:500])}"
    if response.status_code == 401:
        return Unauthorized(f"{message}; set TRAINYARD_TOKEN to the control plane's token")
    kinds = {"unknown_worker": UnknownWorker, "lease_lost": LeaseLost}
    unknown = NoSuchRoute if response.status_code in _NO_ROUTE else Refused
    return kinds.get(str(problem.get("code")), unknown)(message, _field_problems(problem))


def _retry_after_seconds(response: httpx.Response) -> float:
    """What the header says; 0 without one, or with a date."""
    text = response.headers.get("retry-after", "")
    return min(float(text), LONGEST_PAUSE_SECONDS) if text.isdecimal() and text.isascii() else 0.0


def _field_problems(problem: Mapping[str, Any]) -> list[FieldProblem]:
    try:
        return _FIELD_PROBLEMS.validate_python(problem.get("errors", []))
    except ValidationError:
        return []


def _problem(response: httpx.Response) -> dict[str, Any]:
    try:
        body = response.json()
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}
