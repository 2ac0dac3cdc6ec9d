"""How many images and classes a split of a data set has."""

from typing import Literal

from pydantic import BaseModel, ConfigDict


class SplitCounts(BaseModel):
    """The images and classes of one split."""

    model_config = ConfigDict(frozen=True)

    name: Literal["train", "val"]
    images: int
    classes: int
