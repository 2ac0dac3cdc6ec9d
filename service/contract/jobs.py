"""Jobs, attempts and events as the API shows them."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field

from service.contract.actions import JobAction
from service.contract.fields import IdText, LabelTexts, LeftOut, Metrics, Result
from service.contract.reading import Extensible
from service.contract.specs import KindName
from service.contract.stored_specs import StoredSpec
from service.contract.text import CutTo, Message, ShortText
from service.contract.time_spent import TimeSpent

_MOST_ACTIONS = 100


class JobState(StrEnum):
    """The state of a job; the last three are final."""

    QUEUED = "queued"
    RUNNING = "running"
    PAUSING = "pausing"
    PAUSED = "paused"
    CANCELLING = "cancelling"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"


class AttemptState(StrEnum):
    """The state of an attempt; the last five are final."""

    CLAIMED = "claimed"
    RUNNING = "running"
    UNREACHABLE = "unreachable"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    LOST = "lost"
    RELEASED = "released"
    CANCELLED = "cancelled"


ENDED_JOBS = (JobState.SUCCEEDED, JobState.FAILED, JobState.CANCELLED)
RETRIABLE_JOBS = (JobState.FAILED, JobState.CANCELLED)
"""A job that has succeeded has done what it was submitted for."""
LIVE_ATTEMPTS = (AttemptState.CLAIMED, AttemptState.RUNNING, AttemptState.UNREACHABLE)


class Reason(StrEnum):
    """Why an attempt or a job ended.

    `worker_unfit`: the worker cannot read its data root, or its torch cannot use the GPU.
    `unreadable_spec`: this version of the server cannot read the specification of the job.
    """

    FINISHED = "finished"
    CANCELLED = "cancelled"
    PAUSED = "paused"
    WORKER_LOST = "worker_lost"
    PREEMPTED = "preempted"
    RELEASED = "released"
    NOT_STARTED = "not_started"
    DISK_FULL = "disk_full"
    WORKER_UNFIT = "worker_unfit"
    POISON = "poison"
    CRASHED = "crashed"
    NON_FINITE_LOSS = "non_finite_loss"
    STALLED = "stalled"
    INVALID_DATA = "invalid_data"
    OUT_OF_MEMORY = "out_of_memory"
    INCOMPATIBLE_CHECKPOINT = "incompatible_checkpoint"
    UNREADABLE_SPEC = "unreadable_spec"


class Progress(BaseModel):
    """The progress of a job; `phase` is train, recalibrate, validate or eval.

    `steps_per_epoch` is there once a training has told it. `time_spent` is that of all its
    attempts, as far as they have reported it, and
    `earlier_time_spent` that of the attempts before the newest one that has started.
    """

    model_config = ConfigDict(frozen=True)

    step: int = 0
    total_steps: int
    steps_per_epoch: int | None = None
    fraction: float = 0.0
    eta_seconds: float | None = None
    images_per_second: float | None = None
    phase: ShortText = "train"
    time_spent: TimeSpent | None = None
    earlier_time_spent: TimeSpent | None = None

    def with_time(self, spent: TimeSpent | None) -> Self:
        """With what the newest attempt has spent so far, if it has reported it."""
        if spent is None:
            return self
        earlier = self.earlier_time_spent
        total = spent if earlier is None else spent.plus(earlier)
        return self.model_copy(update={"time_spent": total})


class Job(BaseModel):
    """A job as the API shows it; `actions` is what the caller may do now, `version` counts changes.

    `submitted_by` is the name of the token that submitted it; None on a server without tokens.

    An import has no recipe until its file has been read. `unreadable` says why this version
    cannot read the job's spec, if it cannot: then `spec` is as it is stored. `part_of` is the
    search that it measures for.

    A list has rows of limited size: of a search that measures given paths, the `candidates` of
    `spec.params` are null there, and `left_out` is `{"/spec/params/candidates": N}`, how many there
    are.
    """

    model_config = ConfigDict(frozen=True)

    object: Literal["job"] = "job"
    id: IdText
    kind: Annotated[KindName, Extensible]
    recipe: IdText | None
    variant: IdText | None
    name: ShortText | None = None
    labels: LabelTexts = Field(default_factory=dict)
    state: Annotated[JobState, Extensible]
    reason: Annotated[Reason, Extensible] | None = None
    message: Message | None = None
    created_at: datetime
    started_at: datetime | None = None
    finished_at: datetime | None = None
    progress: Progress
    metrics: Metrics = Field(default_factory=dict)
    queue_position: int | None = None
    wait_reason: Message | None = None
    attempt: int = 0
    latest_checkpoint: IdText | None = None
    best_checkpoint: IdText | None = None
    result: Result | None = None
    parent_job_id: IdText | None = None
    part_of: Annotated[IdText | None, Field(exclude_if=lambda search: search is None)] = None
    submitted_by: ShortText | None = None
    unreadable: Message | None = None
    spec: StoredSpec
    left_out: LeftOut = Field(default_factory=dict)
    actions: Annotated[tuple[JobAction, ...], CutTo(_MOST_ACTIONS)] = ()
    version: int = 1


class Attempt(BaseModel):
    """One run of a job on one worker.

    `gpus` are the indices of the worker's GPUs that it uses; None if the worker has not told.
    `gpu_count` is how many it was given on each host; None for one of a version without ranges.
    """

    model_config = ConfigDict(frozen=True)

    job_id: IdText
    number: int
    worker_id: IdText
    state: Annotated[AttemptState, Extensible]
    reason: Annotated[Reason, Extensible] | None = None
    message: Message | None = None
    created_at: datetime
    started_at: datetime | None = None
    finished_at: datetime | None = None
    gpus: Annotated[tuple[int, ...], CutTo(1024)] | None = None
    gpu_count: Annotated[int | None, Field(exclude_if=lambda count: count is None)] = None


class Event(BaseModel):
    """An event in the history of a job; later events have higher numbers."""

    model_config = ConfigDict(frozen=True)

    number: int
    job_id: IdText
    attempt: int | None = None
    kind: ShortText
    message: Message
    created_at: datetime
    request_id: Annotated[IdText | None, Field(exclude_if=lambda request: request is None)] = None
    """Of the request that caused the event; None for what the server did by itself."""
    actor: Annotated[ShortText | None, Field(exclude_if=lambda actor: actor is None)] = None
    """The name of the token that caused it; None for the server itself, a worker that sends the
    token of the settings, and for everybody on a server without tokens."""
