"""The types of parameters that a recipe may give another default: limits, descriptions and units.

A recipe imports them from `workers.recipes.params`.
"""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field

from workers.recipes.parameter_rules import SUBTRACTS_MEAN

SERIES_PREPROCESSING = ("bgr255", "bgr_normalized", SUBTRACTS_MEAN)


def _of_the_series(preprocessing: str) -> str:
    if preprocessing not in SERIES_PREPROCESSING:
        raise ValueError(f"preprocessing must be one of {', '.join(SERIES_PREPROCESSING)}")
    return preprocessing


def unit(name: str) -> dict[str, Any]:
    """For `json_schema_extra` of a field: what its number counts."""
    return {"unit": name}


TotalIters = Annotated[
    int,
    Field(
        ge=1,
        le=10_000_000,
        description="Batches to train on, before batch norm is recalibrated.",
        json_schema_extra=unit("iterations"),
    ),
]
BatchSize = Annotated[
    int,
    Field(
        ge=1,
        le=65_536,
        description="Images in a batch, over all ranks.",
        json_schema_extra=unit("images"),
    ),
]
Accumulate = Annotated[
    int,
    Field(
        ge=1,
        le=65_536,
        description="In how many equal parts each rank works through its share of a batch, for "
        "one update: more parts need less memory. Batch norm sees one part at a time.",
        json_schema_extra=unit("parts"),
    ),
]
LearningRate = Annotated[
    float,
    Field(
        gt=0,
        le=100,
        allow_inf_nan=False,
        description="At the start; falls linearly to 0 at the last iteration.",
    ),
]
LearningRateScaling = Annotated[
    Literal["off", "linear"],
    Field(
        description="linear: learning_rate is that of the recipe's published batch_size, and "
        "changes in proportion to another one."
    ),
]
Dropout = Annotated[
    Annotated[float, Field(ge=0, lt=1)] | None,
    Field(description="Probability before the classifier; left out: the variant's published one."),
]
BatchNorm = Annotated[
    Literal["local", "synchronised"],
    Field(description="In training, over each rank's own images or over the images of all ranks."),
]
Preprocessing = Annotated[
    str,
    AfterValidator(_of_the_series),
    Field(
        description="From an image to the network's input; travels with the weights.",
        json_schema_extra={"enum": [*SERIES_PREPROCESSING]},
    ),
]
