"""Which weights a job starts from."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from service.contract.fields import Id
from service.contract.json_types import just
from service.contract.paths import SubmittedImportPath

_ORIGINS = ("id", "job", "file", "search")


class CheckpointRef(BaseModel):
    """The weights an eval or a training starts from; one of `id`, `job`, `file`, `search`.

    `search` is the network of the best path that a search has left; it is stored as its `id`.
    """

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        json_schema_extra={"oneOf": [just(name, of=_ORIGINS) for name in _ORIGINS]},
    )

    id: Id | None = None
    job: Id | None = None
    which: Literal["latest", "best"] = "latest"
    file: SubmittedImportPath | None = None
    # Left out where there is none: an older worker refuses a field that it does not know.
    search: Annotated[Id | None, Field(exclude_if=lambda search: search is None)] = None
    state: Literal["weights", "full"] = "weights"
    head: Literal["keep", "replace"] = "keep"

    @model_validator(mode="after")
    def _one_origin(self) -> "CheckpointRef":
        if sum(getattr(self, origin) is not None for origin in _ORIGINS) != 1:
            raise ValueError("name exactly one of id, job, file, search")
        return self
