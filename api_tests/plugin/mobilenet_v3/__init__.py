"""MobileNetV3 (arXiv:1905.02244) of torchvision, as a recipe of Trainyard. No torch here."""

from typing import Annotated

from pydantic import Field

from workers.networks.heads import Heads
from workers.recipes.base import Recipe
from workers.recipes.params import LearningRate, RecipeParams


class MobileNetV3Params(RecipeParams):
    """The parameters of every recipe, and one more."""

    learning_rate: LearningRate = 0.001
    focus: Annotated[
        float, Field(ge=0, le=5, description="Of the focal loss; 0 is cross entropy.")
    ] = 2.0


RECIPE = Recipe(
    name="mobilenet_v3",
    title="MobileNetV3 of torchvision, trained with AdamW on a focal loss.",
    source="arXiv:1905.02244",
    params=MobileNetV3Params,
    variants={"small": None, "large": None},
    network="mobilenet_v3.training:network",
    heads=Heads("classifier.3"),
    loss="mobilenet_v3.training:focal_loss",
    optimizer="mobilenet_v3.training:adamw",
)
