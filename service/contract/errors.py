"""Problem details (RFC 9457): the one shape in which the control plane says no."""

from pydantic import BaseModel, ConfigDict


class FieldProblem(BaseModel):
    """One wrong field: a JSON pointer into the body, and what to change."""

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
