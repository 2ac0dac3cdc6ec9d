"""What can go wrong between a user and a yard; every message says what to do next."""

import httpx
from pydantic import ValidationError

from service.contract.errors import FieldProblem, Problem


class TrainyardError(Exception):
    """The root of the tree."""


class ServerUnreachable(TrainyardError):
    """No answer came, after the retries that are safe."""

    def __init__(self, server: str, cause: Exception) -> None:
        super().__init__(
            f"no server answers at {server} ({cause or type(cause).__name__}). "
            "Start one with `trainyard up`, or name another with --server or TRAINYARD_SERVER."
        )


class ApiError(TrainyardError):
    """The server said no."""

    def __init__(self, problem: Problem, retry_after_seconds: float | None = None) -> None:
        self.problem = problem
        self.retry_after_seconds = retry_after_seconds
        wrong = [
            f"{field.pointer}: {field.detail}" if field.pointer else field.detail
            for field in problem.errors
        ]
        super().__init__("\n  ".join([problem.detail or problem.title, *wrong]))

    @property
    def status(self) -> int:
        """The HTTP status."""
        return self.problem.status

    @property
    def code(self) -> str:
        """The machine-readable code, such as `not_found`."""
        return self.problem.code

    @property
    def errors(self) -> tuple[FieldProblem, ...]:
        """The wrong fields, where there are some."""
        return self.problem.errors


class UnexpectedAnswer(TrainyardError):
    """The answer is none that a Trainyard server of this version gives."""

    def __init__(self, response: httpx.Response) -> None:
        super().__init__(
            f"{response.request.method} {response.url} gave an answer that is not Trainyard's "
            f"(status {response.status_code}). Is --server right, and of the same version?"
        )


class DownloadDamaged(TrainyardError):
    """The bytes are not the checkpoint's; nothing was left at the target."""


class StillRunning(TrainyardError):
    """The job did not end in the time that `wait` was given."""


def problem_in(response: httpx.Response) -> ApiError:
    """The error that a 4xx or 5xx answer is; a proxy's page becomes a problem, too."""
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
    return ApiError(problem, float(after) if after.isdecimal() else None)
