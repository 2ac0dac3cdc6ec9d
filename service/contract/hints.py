"""What a dry run says of a submission that can run."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict

from service.contract.reading import Extensible
from service.contract.stored_specs import StoredSpec
from service.contract.text import CutTo, Message, PathText

MOST_HINTS = 100


class Hint(BaseModel):
    """A sentence on the field at the JSON pointer; a `warning` says that the job may well fail."""

    model_config = ConfigDict(frozen=True)

    pointer: PathText
    level: Annotated[Literal["note", "warning"], Extensible] = "note"
    detail: Message


class Explanation(BaseModel):
    """A submission that was not stored: `spec` with every default, and what is known of it."""

    model_config = ConfigDict(frozen=True)

    object: Literal["explanation"] = "explanation"
    spec: StoredSpec
    hints: Annotated[tuple[Hint, ...], CutTo(MOST_HINTS)] = ()
