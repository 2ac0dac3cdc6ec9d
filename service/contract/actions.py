"""What may be done with a job, as data: so that no client needs to know the rules."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field


class JobAction(BaseModel):
    """One call of the API that the job allows now.

    Its body is `body`, with one of the `choices` for each field that has some (the first is the
    default), and with the fields that `needs` names, which only the caller knows.
    """

    model_config = ConfigDict(frozen=True)

    name: str
    method: Literal["POST", "DELETE"] = "POST"
    path: str
    body: dict[str, Any] = Field(default_factory=dict)
    choices: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    needs: tuple[str, ...] = ()
