"""The actions that a job allows, as data, so that clients need not know the rules."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from service.contract.json_values import JsonLimit
from service.contract.text import CutTo, PathText, ShortText

_BODY_BYTES = 256 * 1024
_MOST_FIELDS = 100


class JobAction(BaseModel):
    """One call of the API that the job allows now.

    The request's body is `body`, plus one of the values in `choices` for each field there (the
    first is the default), plus the fields in `needs`, whose values the caller provides.
    """

    model_config = ConfigDict(frozen=True)

    name: ShortText
    method: Literal["POST", "DELETE"] = "POST"
    path: PathText
    body: Annotated[dict[str, Any], JsonLimit(_BODY_BYTES)] = Field(default_factory=dict)
    choices: Annotated[
        dict[ShortText, Annotated[tuple[ShortText, ...], CutTo(_MOST_FIELDS)]], CutTo(_MOST_FIELDS)
    ] = Field(default_factory=dict)
    needs: Annotated[tuple[ShortText, ...], CutTo(_MOST_FIELDS)] = ()
