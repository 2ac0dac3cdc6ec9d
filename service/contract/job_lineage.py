"""Where a job comes from and which jobs came of it, as the API shows it."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from service.contract.fields import IdText, Metrics
from service.contract.text import CutTo, ShortText

MOST_DESCENDANTS = 100


class RelatedJob(BaseModel):
    """A job in the lineage of another; `metrics` are the numbers of its result.

    `parent_job_id` is the job that it retries, or of which search it has the architecture,
    `source_checkpoint` the checkpoint that it starts
    from, evaluates or exports.
    """

    model_config = ConfigDict(frozen=True)

    id: IdText
    kind: ShortText
    name: ShortText | None = None
    state: ShortText
    created_at: datetime
    parent_job_id: IdText | None = None
    source_checkpoint: IdText | None = None
    metrics: Metrics = Field(default_factory=dict)


class SourceCheckpoint(BaseModel):
    """The checkpoint that a job starts from, evaluates or exports, and the job that saved it.

    `step` is null if the checkpoint is no longer in the index, `job` if the job was deleted.
    """

    model_config = ConfigDict(frozen=True)

    id: IdText
    step: int | None = None
    job_id: IdText | None = None
    job: RelatedJob | None = None


class JobLineage(BaseModel):
    """The job that a job retries, its source, and the jobs that came of it, newest first.

    Those are its retries and what starts from, evaluates, searches or exports a checkpoint of it.
    The parent of a training of what a search has found is that search, which it does not retry.
    """

    model_config = ConfigDict(frozen=True)

    object: Literal["job_lineage"] = "job_lineage"
    job_id: IdText
    kind: ShortText | None = None
    """Of the job itself."""
    parent: RelatedJob | None = None
    source: SourceCheckpoint | None = None
    descendants: Annotated[tuple[RelatedJob, ...], CutTo(MOST_DESCENDANTS)] = ()
    has_more: bool = False
    """Whether there are more descendants than are shown."""
