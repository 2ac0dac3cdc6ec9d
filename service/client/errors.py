"""The exceptions of the client; each message says what the user can do."""

import httpx
from pydantic import ValidationError

from service.contract.errors import FieldProblem, Problem


class TrainyardError(Exception):
    """The base class of all exceptions of the client and the commands."""


class InvalidConnection(TrainyardError):
    """The server's address, the token or a proxy of the environment cannot be used."""


class InvalidRequest(TrainyardError):
    """The request cannot be sent: a value in it has no form in JSON or HTTP."""


class ServerUnavailable(TrainyardError):
    """No server answers, or it cannot answer now: the same request may succeed later."""


class ServerUnreachable(ServerUnavailable):
    """No server answered, after the retries that are safe."""

    def __init__(self, server: str, cause: Exception) -> None:
        super().__init__(
            f"no server answers at {server} ({cause or type(cause).__name__}). "
            "Start one with `trainyard up`, or name another with --server or TRAINYARD_SERVER."
        )


class ApiError(TrainyardError):
    """The server answered with an error: a NotFound, a Refused or a ServerError."""

    def __init__(self, problem: Problem, retry_after_seconds: float | None = None) -> None:
        self.problem = problem
        self.retry_after_seconds = retry_after_seconds
        details = [
            f"{field.pointer}: {field.detail}" if field.pointer else field.detail
            for field in problem.errors
        ]
        super().__init__("\n  ".join([problem.detail or problem.title, *details]))

    @property
    def status(self) -> int:
        """The HTTP status code."""
        return self.problem.status

    @property
    def code(self) -> str:
        """The machine-readable error code, such as `not_found`."""
        return self.problem.code

    @property
    def errors(self) -> tuple[FieldProblem, ...]:
        """The invalid fields of the request, if the server named any."""
        return self.problem.errors


class NotFound(ApiError):
    """There is no job, checkpoint, worker or file of this name."""


class Refused(ApiError):
    """The server does not do what the request asks for; the message says what to change."""


class Unauthorized(Refused):
    """The request had no token, a wrong one, or one that may not do this."""

    def __init__(self, problem: Problem, retry_after_seconds: float | None = None) -> None:
        super().__init__(problem, retry_after_seconds)
        if problem.status == httpx.codes.UNAUTHORIZED:
            self.args = (f"{self}\n  Give the token as token=…, --token or TRAINYARD_TOKEN.",)


class Conflict(Refused):
    """The state of a job or checkpoint does not allow it, or it has changed meanwhile."""


class ServerError(ApiError):
    """The server failed; its log has the request's id."""


class ServerBusy(ApiError, ServerUnavailable):
    """The server, or a proxy before it, cannot answer now: it is starting, away or overloaded."""


class UnexpectedAnswer(TrainyardError):
    """The answer is not one that a Trainyard server of this version gives."""

    def __init__(self, response: httpx.Response) -> None:
        super().__init__(
            f"{response.request.method} {response.url} gave an answer that is not Trainyard's "
            f"(status {response.status_code}). "
            "Check --server, and that the server has the version of this client."
        )


class DownloadDamaged(TrainyardError):
    """The downloaded bytes do not have the expected sha256; the target was not written."""


class MissingPackage(TrainyardError, ImportError):
    """A call needs a package that is not installed; the message says which."""


class Timeout(TrainyardError, TimeoutError):
    """What was waited for did not come within the time that was given."""


class StillRunning(Timeout):
    """The job did not end within the time given to `wait`; it goes on running."""


_TRANSIENT_STATUSES = (429, 502, 503, 504)
"""Of answers after which the same request may succeed a moment later."""

_CLASSES: dict[int, type[ApiError]] = {
    401: Unauthorized,
    403: Unauthorized,
    404: NotFound,
    409: Conflict,
    412: Conflict,
    **dict.fromkeys(_TRANSIENT_STATUSES, ServerBusy),
}


def is_transient(error: BaseException) -> bool:
    """Whether the request may succeed if it is sent again a moment later."""
    return isinstance(error, ServerUnavailable)


def problem_in(response: httpx.Response) -> ApiError:
    """The ApiError of a 4xx or 5xx response, also of one that holds no problem document."""
    try:
        problem = Problem.model_validate_json(response.content)
    except ValidationError:
        problem = Problem(
            title=response.reason_phrase,
            status=response.status_code,
            detail=f"{response.url} answered {response.status_code} {response.reason_phrase}",
            code=f"http_{response.status_code}",
        )
    after = response.headers.get("retry-after", "")
    other = ServerError if response.is_server_error else Refused
    kind = _CLASSES.get(response.status_code, other)
    return kind(problem, float(after) if after.isdecimal() else None)
