"""Sweeps and their trials as the API shows them."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from service.contract.fields import IdText, Measure
from service.contract.json_values import JsonLimit
from service.contract.reading import Extensible
from service.contract.text import CutTo, Message, ShortText

_SPEC_BYTES = 64 * 1024 * 1024
_PARAMETERS_BYTES = 1024 * 1024


class SweepState(StrEnum):
    """The state of a sweep; the last two are final."""

    RUNNING = "running"
    PAUSED = "paused"
    CANCELLING = "cancelling"
    FINISHED = "finished"
    CANCELLED = "cancelled"


LIVE_SWEEPS = (SweepState.RUNNING, SweepState.PAUSED, SweepState.CANCELLING)


class TrialState(StrEnum):
    """What became of a trial; the first is that of one whose job has not ended.

    `stopped`: successive halving ended its job. `refused`: no job could be made of it.
    `deleted`: its job was deleted before its end was seen.
    """

    LIVE = "live"
    SUCCEEDED = "succeeded"
    STOPPED = "stopped"
    FAILED = "failed"
    CANCELLED = "cancelled"
    REFUSED = "refused"
    DELETED = "deleted"


TrialParameters = Annotated[dict[str, Any], JsonLimit(_PARAMETERS_BYTES)]


class Trial(BaseModel):
    """One combination of a sweep; `value` is the best that its job has measured so far."""

    model_config = ConfigDict(frozen=True)

    object: Literal["trial"] = "trial"
    number: int
    """From 1."""
    parameters: TrialParameters
    state: Annotated[TrialState, Extensible]
    message: Message | None = None
    job_id: IdText | None = None
    job_state: ShortText | None = None
    """None once the job is deleted."""
    value: Measure = None
    steps: int = 0
    """The iterations that its job has trained."""


class BestTrial(BaseModel):
    """The trial with the best value so far, and the best checkpoint of its job, or its latest."""

    model_config = ConfigDict(frozen=True)

    number: int
    parameters: TrialParameters
    value: float
    job_id: IdText
    checkpoint_id: IdText | None = None


class Sweep(BaseModel):
    """A sweep as the API shows it; `trials` counts them by state, `actions` may be done now."""

    model_config = ConfigDict(frozen=True)

    object: Literal["sweep"] = "sweep"
    id: IdText
    name: ShortText | None = None
    state: Annotated[SweepState, Extensible]
    message: Message | None = None
    created_at: datetime
    finished_at: datetime | None = None
    submitted_by: ShortText | None = None
    trial_count: int
    """How many it has in all, unless its budget ends it before."""
    trials: Annotated[dict[ShortText, int], CutTo(len(TrialState))] = Field(default_factory=dict)
    steps: int = 0
    """The iterations that all its jobs together have trained."""
    best: BestTrial | None = None
    unreadable: Message | None = None
    """Why this version cannot read the sweep, if it cannot: `spec` is as it is stored then."""
    spec: Annotated[dict[str, Any], JsonLimit(_SPEC_BYTES)]
    """The body of its submission, with every default."""
    actions: Annotated[tuple[Literal["pause", "resume", "cancel", "delete"], ...], CutTo(4)] = ()
