"""One parameter model per recipe: the published defaults, and what a user may change.

Source: the `train.py` of each family in megvii-model/ShuffleNet-Series.
"""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from service.contract.fields import Number
from service.contract.paths import DataPath

RecipeName = Literal[
    "oneshot",
    "shufflenet_v1",
    "shufflenet_v2",
    "shufflenet_v2_plus",
    "shufflenet_v2_large",
    "shufflenet_v2_exlarge",
    "detnas",
]
Preprocessing = Literal["bgr255", "bgr_normalized", "bgr255_minus_mean"]

VARIANTS: dict[str, tuple[str, ...]] = {
    "oneshot": ("searched",),
    "shufflenet_v1": tuple(f"{w}-g{g}" for w in ("0.5x", "1.0x", "1.5x", "2.0x") for g in (3, 8)),
    "shufflenet_v2": ("0.5x", "1.0x", "1.5x", "2.0x"),
    "shufflenet_v2_plus": ("small", "medium", "large"),
    "shufflenet_v2_large": ("large",),
    "shufflenet_v2_exlarge": ("exlarge",),
    "detnas": (
        "COCO_FPN_1.3G",
        "COCO_FPN_3.8G",
        "COCO_FPN_300M",
        "COCO_RetinaNet_300M",
        "VOC_FPN_300M",
        "VOC_RetinaNet_300M",
    ),
}

RECALIBRATED = ("oneshot", "shufflenet_v1", "shufflenet_v2", "shufflenet_v2_plus")
"""Recipes that recalibrate batch norm after the last iteration."""


PARAMETERS: dict[str, tuple[str, str | None]] = {
    "total_iters": ("Batches to train on, before batch norm is recalibrated.", "iterations"),
    "batch_size": ("Images in a batch, over all ranks.", "images"),
    "learning_rate": ("At the start; falls linearly to 0 at the last iteration.", None),
    "momentum": ("Of SGD.", None),
    "weight_decay": ("On tensors named weight of two or more dimensions.", None),
    "label_smoothing": ("Share of the target that is spread over all classes.", None),
    "dropout": ("Probability before the classifier; left out: the variant's published one.", None),
    "image_size": ("Side of the square input, a multiple of 32.", "pixels"),
    "num_classes": ("Must equal the data's; left out: taken from there.", "classes"),
    "preprocessing": ("From an image to the network's input; travels with the weights.", None),
    "mean_image": ("A .xml or .npy file below the data root, for bgr255_minus_mean.", None),
    "display_interval": ("Between two points of the training curves.", "iterations"),
    "val_interval": ("Between two validations.", "iterations"),
    "save_interval": ("Between two checkpoints.", "iterations"),
    "bn_recalibration_iters": ("Of batch-norm recalibration; left out: one epoch.", "iterations"),
    "seed": ("Of initial weights, data order, augmentation and dropout.", None),
    "data_workers": ("Loader processes for each rank; 0: the rank loads itself.", "processes"),
}
"""What each parameter means, and its unit: for people, and for the forms drawn from the schema."""


def _describe(schema: dict[str, Any]) -> None:
    for name, field in schema["properties"].items():
        description, unit = PARAMETERS[name]
        field["description"] = description
        if unit is not None:
            field["unit"] = unit
    # What the validators below check, for those who have the schema alone.
    schema["properties"]["image_size"]["multipleOf"] = 32
    schema["properties"]["mean_image"]["anyOf"][0]["format"] = "data-path"
    minus_mean = {"preprocessing": {"const": "bgr255_minus_mean"}}
    schema["if"] = {"properties": minus_mean, "required": ["preprocessing"]}
    schema["then"] = {"properties": {"mean_image": {"type": "string"}}, "required": ["mean_image"]}


class RecipeParams(BaseModel):
    """What every recipe takes; the subclasses set the published defaults."""

    model_config = ConfigDict(frozen=True, extra="forbid", json_schema_extra=_describe)

    total_iters: Annotated[int, Field(ge=1, le=10_000_000)] = 300_000
    batch_size: Annotated[int, Field(ge=1, le=65_536)] = 1024
    learning_rate: Annotated[float, Field(gt=0, le=100, allow_inf_nan=False)] = 0.5
    momentum: Annotated[float, Field(ge=0, lt=1)] = 0.9
    weight_decay: Annotated[float, Field(ge=0, le=1)] = 4e-5
    label_smoothing: Annotated[float, Field(ge=0, lt=1)] = 0.1
    dropout: Annotated[float, Field(ge=0, lt=1)] | None = None
    image_size: Annotated[int, Field(ge=32, le=2048)] = 224
    num_classes: Annotated[int, Field(ge=2, le=100_000)] | None = None
    preprocessing: Preprocessing = "bgr255"
    mean_image: DataPath | None = None
    display_interval: Annotated[Number, Field(ge=1)] = 20
    val_interval: Annotated[Number, Field(ge=1)] = 10_000
    save_interval: Annotated[Number, Field(ge=1)] = 10_000
    bn_recalibration_iters: Number | None = None
    seed: Annotated[int, Field(ge=0, le=2**31 - 1)] = 0
    data_workers: Annotated[int, Field(ge=0, le=64)] = 0

    @field_validator("image_size")
    @classmethod
    def _fits_the_networks(cls, image_size: int) -> int:
        if image_size % 32:
            below = image_size // 32 * 32
            raise ValueError(
                f"image_size must be a multiple of 32: {image_size} is not; "
                f"use {below} or {below + 32}"
            )
        return image_size

    @model_validator(mode="after")
    def _names_its_mean(self) -> "RecipeParams":
        if self.preprocessing == "bgr255_minus_mean" and self.mean_image is None:
            raise ValueError(
                "preprocessing bgr255_minus_mean needs mean_image, a .xml or .npy file"
            )
        return self


class OneShotParams(RecipeParams):
    """ShuffleNetV2 found by single path one-shot search (arXiv:1904.00420)."""


class ShuffleNetV1Params(RecipeParams):
    """ShuffleNetV1 (arXiv:1707.01083)."""


class ShuffleNetV2Params(RecipeParams):
    """ShuffleNetV2 (arXiv:1807.11164)."""


class ShuffleNetV2PlusParams(RecipeParams):
    """ShuffleNetV2+: hard-swish and squeeze-excite."""

    total_iters: Annotated[int, Field(ge=1, le=10_000_000)] = 450_000


class ShuffleNetV2LargeParams(RecipeParams):
    """ShuffleNetV2.Large: three auxiliary heads, weighted loss."""

    total_iters: Annotated[int, Field(ge=1, le=10_000_000)] = 600_000
    batch_size: Annotated[int, Field(ge=1, le=65_536)] = 256
    learning_rate: Annotated[float, Field(gt=0, le=100, allow_inf_nan=False)] = 0.25
    preprocessing: Preprocessing = "bgr_normalized"


class ShuffleNetV2ExLargeParams(ShuffleNetV2LargeParams):
    """ShuffleNetV2.ExLarge: the heads of Large, a wider network."""


class DetNASParams(RecipeParams):
    """Backbones searched for detection (arXiv:1903.10979)."""


PARAMS: dict[str, type[RecipeParams]] = {
    "oneshot": OneShotParams,
    "shufflenet_v1": ShuffleNetV1Params,
    "shufflenet_v2": ShuffleNetV2Params,
    "shufflenet_v2_plus": ShuffleNetV2PlusParams,
    "shufflenet_v2_large": ShuffleNetV2LargeParams,
    "shufflenet_v2_exlarge": ShuffleNetV2ExLargeParams,
    "detnas": DetNASParams,
}
