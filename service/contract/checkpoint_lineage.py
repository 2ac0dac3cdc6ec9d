"""Where a checkpoint comes from and what was made of it, as the API shows it."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from service.contract.checkpoints import MANIFEST_BYTES, MOST_LISTED, State
from service.contract.fields import IdText, Metrics
from service.contract.json_values import JsonLimit
from service.contract.reading import Extensible
from service.contract.text import CutTo, ShortText


class LineageEntry(BaseModel):
    """A checkpoint in the lineage of another checkpoint."""

    model_config = ConfigDict(frozen=True)

    id: IdText
    job_id: IdText
    attempt: int
    recipe: IdText
    variant: IdText
    step: int
    phase: ShortText
    created_at: datetime
    state: Annotated[State, Extensible]
    spec_sha256: IdText
    parent_checkpoint: IdText | None = None


class CheckpointUse(BaseModel):
    """A job that started from a checkpoint; `metrics` are the numbers of its result."""

    model_config = ConfigDict(frozen=True)

    job_id: IdText
    kind: ShortText
    name: ShortText | None = None
    state: ShortText
    created_at: datetime
    metrics: Metrics = Field(default_factory=dict)


class Lineage(BaseModel):
    """The ancestors and descendants of a checkpoint.

    `ancestors` begins with the parent; `complete` is false if the parent of the last ancestor is no
    longer in the index. `children` are the checkpoints that have this one as their parent; `jobs`
    started from it, or used it in an eval or an export, and `uses` says of each what it is.
    """

    model_config = ConfigDict(frozen=True)

    object: Literal["lineage"] = "lineage"
    checkpoint: LineageEntry
    spec: Annotated[dict[str, Any], JsonLimit(MANIFEST_BYTES)] | None = None
    ancestors: Annotated[tuple[LineageEntry, ...], CutTo(MOST_LISTED)] = ()
    complete: bool = True
    children: Annotated[tuple[LineageEntry, ...], CutTo(MOST_LISTED)] = ()
    jobs: Annotated[tuple[IdText, ...], CutTo(MOST_LISTED)] = ()
    uses: Annotated[tuple[CheckpointUse, ...], CutTo(MOST_LISTED)] = ()
