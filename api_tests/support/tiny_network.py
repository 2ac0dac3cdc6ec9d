"""A recipe whose network compiles in seconds: a convolution, a shuffle unit, a classifier."""

import torch
from torch import Tensor, nn

from workers.networks.blocks import ShuffleUnit
from workers.networks.heads import Heads
from workers.recipes.base import Recipe
from workers.recipes.params import RecipeParams

CLASSES, BATCH, SIZE = 7, 8, 32


def build(_: str, num_classes: int, params: RecipeParams) -> nn.Module:
    """Images (N, 3, S, S) -> logits (N, num_classes)."""
    return nn.Sequential(
        nn.Conv2d(3, 16, 3, 2, 1, bias=False),
        nn.BatchNorm2d(16),
        nn.ReLU(),
        ShuffleUnit([nn.Conv2d(8, 8, 1, bias=False), nn.BatchNorm2d(8)], None),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Dropout(params.dropout or 0.0),
        nn.Linear(16, num_classes),
    )


TINY = Recipe(
    name="tiny",
    title="Tiny",
    params=RecipeParams,
    # As of OneShot, in whose attempts it is trained.
    variants={"searched": None},
    network="api_tests.support.tiny_network:build",
    heads=Heads("7"),
)


def batch(number: int) -> tuple[Tensor, Tensor]:
    """The batch of a step: images (8, 3, 32, 32) and labels."""
    generator = torch.Generator().manual_seed(number)
    images = torch.rand(BATCH, 3, SIZE, SIZE, generator=generator)
    return images, torch.randint(CLASSES, (BATCH,), generator=generator)
