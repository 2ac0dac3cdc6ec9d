"""The bodies of the events that an attempt reports; unknown fields are ignored."""

from pydantic import BaseModel, ConfigDict, Field

from service.contract.checkpoints import Manifest
from service.contract.fields import Id, Measure, Metrics, Step, WorkerText


class _Body(BaseModel):
    model_config = ConfigDict(frozen=True)


class Started(_Body):
    """`started`: the first step, and the checkpoint from which the attempt resumed.

    `data` has a sentence for each split: how many images and classes it has, what was passed over.
    """

    step: Step
    total_steps: Step
    resumed_from: Id | None = None
    data: tuple[WorkerText, ...] = ()


class Progressed(_Body):
    """`progress`: the phase, the step and the speed of the attempt."""

    phase: str = Field(max_length=32)
    step: Step
    total_steps: Step
    images_per_second: Measure = None
    eta_seconds: Measure = None
    metrics: Metrics = Field(default_factory=dict)


class Measured(_Body):
    """`metrics`: the metrics of a validation, such as `val_loss`, `top1_error`, `top5_error`."""

    step: Step
    metrics: Metrics


class Published(_Body):
    """`checkpoint`: the manifest of a new checkpoint, and its folder relative to the volume."""

    checkpoint: Manifest
    path: str


class Damaged(_Body):
    """`damaged`: a checkpoint that does not verify, so that the attempt did not use it."""

    checkpoint_id: Id
    problems: tuple[WorkerText, ...] = ()


class NoteBody(_Body):
    """`note`: a sentence for the job's history."""

    message: WorkerText
