"""The bodies of the events that an attempt reports; a field that is not known is passed over."""

from pydantic import BaseModel, ConfigDict, Field

from service.contract.checkpoints import Manifest
from service.contract.fields import Id, Measure, Metrics, Step, WorkerText


class _Body(BaseModel):
    model_config = ConfigDict(frozen=True)


class Started(_Body):
    """`started`: from which step, and after which checkpoint."""

    step: Step
    total_steps: Step
    resumed_from: Id | None = None


class Progressed(_Body):
    """`progress`: how far the attempt is."""

    phase: str = Field(max_length=32)
    step: Step
    total_steps: Step
    images_per_second: Measure = None
    eta_seconds: Measure = None
    metrics: Metrics = Field(default_factory=dict)


class Measured(_Body):
    """`metrics`: what a validation found; names as `val_loss`, `top1_error`, `top5_error`."""

    step: Step
    metrics: Metrics


class Published(_Body):
    """`checkpoint`: a manifest, and its folder relative to the volume."""

    checkpoint: Manifest
    path: str


class Damaged(_Body):
    """`damaged`: a checkpoint that could not be resumed from."""

    checkpoint_id: Id
    problems: tuple[WorkerText, ...] = ()


class NoteBody(_Body):
    """`note`: a line for the job's history."""

    message: WorkerText
