"""Problem details (RFC 9457): the body of every error response."""

from pydantic import BaseModel, ConfigDict


class FieldProblem(BaseModel):
    """One invalid field: a JSON pointer into the body, and a sentence that says what to change."""

    model_config = ConfigDict(frozen=True)

    pointer: str
    detail: str


class Problem(BaseModel):
    """An `application/problem+json` body."""

    model_config = ConfigDict(frozen=True)

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    instance: str | None = None
    code: str
    request_id: str | None = None
    errors: tuple[FieldProblem, ...] = ()
