"""Problem details (RFC 9457): the body of every error response."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from service.contract.text import PATH_LENGTH, CutTo, Message, PathText, ShortText

_MOST_ERRORS = 100


class FieldProblem(BaseModel):
    """One invalid field: a JSON pointer into the body, and a sentence that says what to change."""

    model_config = ConfigDict(frozen=True)

    pointer: PathText
    detail: Message


class Problem(BaseModel):
    """An `application/problem+json` body."""

    model_config = ConfigDict(frozen=True)

    type: ShortText = "about:blank"
    title: ShortText
    status: int
    detail: Message
    instance: Annotated[str, Field(max_length=PATH_LENGTH)] | None = None
    code: ShortText
    request_id: ShortText | None = None
    errors: Annotated[tuple[FieldProblem, ...], CutTo(_MOST_ERRORS)] = ()
