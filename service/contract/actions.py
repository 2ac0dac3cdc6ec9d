"""The actions that a job allows, as data, so that clients need not know the rules."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field


class JobAction(BaseModel):
    """One call of the API that the job allows now.

    The request's body is `body`, plus one of the values in `choices` for each field there (the
    first is the default), plus the fields in `needs`, whose values the caller provides.
    """

    model_config = ConfigDict(frozen=True)

    name: str
    method: Literal["POST", "DELETE"] = "POST"
    path: str
    body: dict[str, Any] = Field(default_factory=dict)
    choices: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    needs: tuple[str, ...] = ()
