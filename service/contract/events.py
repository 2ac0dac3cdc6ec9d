"""The bodies of the events that an attempt reports; unknown fields are ignored."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from service.contract.checkpoints import Manifest
from service.contract.fields import Id, Measure, Metrics, Step
from service.contract.split_counts import SplitCounts
from service.contract.text import PATH_LENGTH, CutTo, Message, Text
from service.contract.time_spent import TimeSpent

_MOST_SENTENCES = 100
_MOST_SPLITS = 2


class _Body(BaseModel):
    model_config = ConfigDict(frozen=True)


class Started(_Body):
    """`started`: the first step, and the checkpoint from which the attempt resumed.

    `data` has a sentence for each split: how many images and classes it has, what was passed over,
    and the first digits of its fingerprint; `splits` has the numbers. `execution` says how steps
    are computed, and what was measured to choose that. `steps_per_epoch` is there where an epoch
    has a length.
    """

    step: Step
    total_steps: Step
    steps_per_epoch: Step | None = None
    resumed_from: Id | None = None
    data: Annotated[tuple[Message, ...], CutTo(_MOST_SENTENCES)] = ()
    splits: Annotated[tuple[SplitCounts, ...], CutTo(_MOST_SPLITS)] = ()
    execution: Message | None = None


class Progressed(_Body):
    """`progress`: the phase, the step and the speed of the attempt, and its time so far."""

    phase: Annotated[str, CutTo(32)]
    step: Step
    total_steps: Step
    images_per_second: Measure = None
    eta_seconds: Measure = None
    metrics: Metrics = Field(default_factory=dict)
    time_spent: TimeSpent | None = None


class Measured(_Body):
    """`metrics`: the metrics of a validation, such as `val_loss`, and the attempt's time so far."""

    step: Step
    metrics: Metrics
    time_spent: TimeSpent | None = None


class Published(_Body):
    """`checkpoint`: the manifest of a new checkpoint, and its folder relative to the volume.

    `seconds` is the time from the copy of the tensors to the published folder.
    """

    checkpoint: Manifest
    path: Annotated[Text, Field(max_length=PATH_LENGTH)]
    seconds: Measure = None


class Damaged(_Body):
    """`damaged`: a checkpoint that does not verify, so that the attempt did not use it."""

    checkpoint_id: Id
    problems: Annotated[tuple[Message, ...], CutTo(_MOST_SENTENCES)] = ()


class NoteBody(_Body):
    """`note`: a sentence for the job's history."""

    message: Message
