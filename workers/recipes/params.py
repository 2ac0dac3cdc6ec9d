"""The parameters that every recipe takes, with the defaults, limits and units of the series.

Source: the `train.py` of each family in megvii-model/ShuffleNet-Series.
"""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from service.contract.fields import Number
from service.contract.paths import DataPath
from workers.recipes.parameter_rules import ORIGINAL_WAY, RULES, SUBTRACTS_MEAN
from workers.recipes.parameter_types import Accumulate as Accumulate
from workers.recipes.parameter_types import BatchNorm as BatchNorm
from workers.recipes.parameter_types import BatchSize as BatchSize
from workers.recipes.parameter_types import Dropout as Dropout
from workers.recipes.parameter_types import LearningRate as LearningRate
from workers.recipes.parameter_types import LearningRateScaling as LearningRateScaling
from workers.recipes.parameter_types import Preprocessing as Preprocessing
from workers.recipes.parameter_types import TotalIters as TotalIters
from workers.recipes.parameter_types import unit as unit

MOST_DATA_WORKERS = 64
"""The most loader processes that a rank may be given."""

_STRIDE = 32


class RecipeParams(BaseModel):
    """What every recipe takes; subclasses set the published defaults and add their own.

    Every field needs a default, a `description`, and a `unit` where it has one.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", json_schema_extra=RULES)

    total_iters: TotalIters = 300_000
    batch_size: BatchSize = 1024
    accumulate: Accumulate = 1
    learning_rate: LearningRate = 0.5
    learning_rate_scaling: LearningRateScaling = "off"
    momentum: Annotated[float, Field(ge=0, lt=1, description="Of SGD.")] = 0.9
    weight_decay: Annotated[
        float,
        Field(ge=0, le=1, description="On tensors named weight of two or more dimensions."),
    ] = 4e-5
    label_smoothing: Annotated[
        float,
        Field(ge=0, lt=1, description="Share of the target that is spread over all classes."),
    ] = 0.1
    dropout: Dropout = None
    batch_norm: BatchNorm = "local"
    image_size: Annotated[
        int,
        Field(
            ge=_STRIDE,
            le=2048,
            description="Side of the square input, a multiple of 32.",
            json_schema_extra={**unit("pixels"), "multipleOf": _STRIDE},
        ),
    ] = 224
    num_classes: Annotated[
        Annotated[int, Field(ge=2, le=100_000)] | None,
        Field(
            description="Must equal the data's; left out: taken from there.",
            json_schema_extra=unit("classes"),
        ),
    ] = None
    preprocessing: Preprocessing = "bgr255"
    mean_image: Annotated[
        Annotated[DataPath, Field(json_schema_extra={"format": "data-path"})] | None,
        Field(description="A .xml or .npy file below the data root, for bgr255_minus_mean."),
    ] = None
    display_interval: Annotated[
        Number,
        Field(
            ge=1,
            description="Between two points of the training curves.",
            json_schema_extra=unit("iterations"),
        ),
    ] = 20
    val_interval: Annotated[
        Number,
        Field(ge=1, description="Between two validations.", json_schema_extra=unit("iterations")),
    ] = 10_000
    save_interval: Annotated[
        Number,
        Field(ge=1, description="Between two checkpoints.", json_schema_extra=unit("iterations")),
    ] = 10_000
    bn_recalibration_iters: Annotated[
        Number | None,
        Field(
            description="Of batch-norm recalibration; left out: one epoch.",
            json_schema_extra=unit("iterations"),
        ),
    ] = None
    seed: Annotated[
        int,
        Field(
            ge=0,
            le=2**31 - 1,
            description="Of initial weights, data order, augmentation and dropout.",
        ),
    ] = 0
    data_workers: Annotated[
        Literal["auto"] | Annotated[int, Field(ge=0, le=MOST_DATA_WORKERS)],
        Field(
            description="Loader processes for each rank; 0: the rank loads itself; "
            "auto: as many as its cores and the shared memory allow.",
            json_schema_extra=unit("processes"),
        ),
    ] = "auto"
    augment_on: Annotated[
        Literal["auto", "loader", "device"],
        Field(
            description="Where colour jitter and flip of training images are done: in the loader "
            "processes, or on the training device for a batch at once. The pixels are the same. "
            "auto: on the device if it is a GPU."
        ),
    ] = "auto"
    decode_on: Annotated[
        Literal["loader", "device"],
        Field(
            description="Where JPEG files of training images are decoded: in the loader processes, "
            "or by nvJPEG on the GPU, whose pixels may differ by some grey levels."
        ),
    ] = "loader"

    precision: Annotated[
        Literal["auto", "fp32", "bf16"],
        Field(
            description="Of forward and backward; weights, loss and update are fp32 always. "
            "auto: bf16 where it was measured to be faster."
        ),
    ] = "auto"
    memory_format: Annotated[
        Literal["auto", "contiguous", "channels_last"],
        Field(description="Of images and weights. auto: the one that is faster."),
    ] = "auto"
    compile: Annotated[
        Literal["auto", "on", "off"],
        Field(
            description="By torch.compile, which takes minutes at the start. "
            "auto: in a run of six hours or more, if it was measured to be faster."
        ),
    ] = "auto"
    exact: Annotated[
        bool,
        Field(
            description="On a GPU, kernels that give the same bits each time; false: the fastest."
        ),
    ] = True
    parity: Annotated[
        bool,
        Field(
            description="Follow the original's arithmetic: fp32, contiguous, eager, plain update."
        ),
    ] = False

    @field_validator("image_size")
    @classmethod
    def _fits_the_networks(cls, image_size: int) -> int:
        if image_size % _STRIDE:
            below = image_size // _STRIDE * _STRIDE
            raise ValueError(
                f"image_size must be a multiple of 32: {image_size} is not; "
                f"use {below} or {below + _STRIDE}"
            )
        return image_size

    @model_validator(mode="after")
    def _agrees_with_parity(self) -> "RecipeParams":
        for name, original in ORIGINAL_WAY.items():
            if self.parity and getattr(self, name) not in ("auto", original):
                raise ValueError(
                    f"parity is {name} {original}: leave {name} out, or set parity to false"
                )
        return self

    @model_validator(mode="after")
    def _synchronises_eager_steps(self) -> "RecipeParams":
        if self.batch_norm == "synchronised" and self.compile == "on":
            raise ValueError(
                "a compiled step has no synchronised batch norm: leave compile out, or set "
                "batch_norm to local"
            )
        return self

    @model_validator(mode="after")
    def _augments_what_is_decoded(self) -> "RecipeParams":
        if self.decode_on == "device" and self.augment_on == "loader":
            raise ValueError(
                "a loader cannot augment what the device decodes: leave augment_on out, or set "
                "decode_on to loader"
            )
        return self

    @model_validator(mode="after")
    def _names_its_mean(self) -> "RecipeParams":
        if self.preprocessing == SUBTRACTS_MEAN and self.mean_image is None:
            raise ValueError(
                f"preprocessing {SUBTRACTS_MEAN} needs mean_image, a .xml or .npy file"
            )
        return self
