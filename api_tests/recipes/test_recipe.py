"""What a recipe brings is what a run uses; what it leaves out is the series' own."""

from dataclasses import replace
from typing import Literal

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from workers.data.errors import InvalidData
from workers.data.transforms import preprocess_of
from workers.networks.heads import Heads
from workers.recipes import build
from workers.recipes.base import Recipe
from workers.recipes.params import RecipeParams
from workers.training.preprocessing import preprocess_for

HERE = "api_tests.recipes.test_recipe"


class Params(RecipeParams):
    """With a preprocessing of its own."""

    preprocessing: Literal["halved", "bgr255"] = "halved"
    width: int = 4


def network(variant: str, num_classes: int, params: Params) -> nn.Module:
    assert variant == "only"
    return nn.Linear(params.width, num_classes)


def loss(outputs: Tensor, labels: Tensor, params: Params) -> Tensor:
    return (outputs.sum() - labels.sum()) * params.width


def optimizer(network: nn.Module, params: Params) -> torch.optim.Optimizer:
    return torch.optim.Adam(network.parameters(), params.learning_rate)


def schedule(params: Params, step: int) -> float:
    return params.learning_rate / step


def halved(image: Tensor, _: np.random.Generator | None) -> Tensor:
    return image / 2


PLAIN = Recipe(
    name="own",
    title="For tests.",
    params=Params,
    variants={"only": None},
    network=f"{HERE}:network",
    heads=Heads("fc"),
)
OWN = replace(
    PLAIN,
    loss=f"{HERE}:loss",
    optimizer=f"{HERE}:optimizer",
    schedule=f"{HERE}:schedule",
    preprocessing={"halved": f"{HERE}:halved"},
)


def test_network_loss_optimizer_schedule_and_preprocessing_are_the_recipes_own() -> None:
    params = Params(width=6, learning_rate=0.5)
    built = OWN.build("only", 3, params)
    assert built.weight.shape == (3, 6)
    assert isinstance(OWN.optimizer_of(built, params), torch.optim.Adam)
    assert OWN.learning_rate(params, 5) == 0.1
    outputs, labels = torch.ones(2, 3), torch.tensor([1, 2])
    assert OWN.training_loss(outputs, labels, params).item() == 18
    image = torch.full((3, 32, 32), 8.0)
    assert preprocess_for(OWN, params, None)(image, None).unique().tolist() == [4]


def test_what_a_recipe_leaves_out_is_the_series_own() -> None:
    params = Params(preprocessing="bgr255", total_iters=10, learning_rate=1.0)
    built = PLAIN.build("only", 3, params)
    assert isinstance(PLAIN.optimizer_of(built, params), torch.optim.SGD)
    assert PLAIN.learning_rate(params, 4) == 0.6
    assert preprocess_for(PLAIN, params, None) is preprocess_of("bgr255")


def test_a_preprocessing_that_nobody_knows_is_refused() -> None:
    with pytest.raises(InvalidData, match="this worker has no preprocessing 'halved'"):
        preprocess_for(PLAIN, Params(), None)


def test_a_variant_or_recipe_that_is_not_there_is_refused_with_those_there_are() -> None:
    with pytest.raises(ValueError, match="recipe own has the variants only"):
        OWN.build("other", 3, Params())
    with pytest.raises(ValueError, match="there is no recipe 'ohneshot' here; there are oneshot"):
        build("ohneshot", "searched")


def test_the_form_of_a_recipes_own_parameters_has_their_limits() -> None:
    own = OWN.info("mine")
    assert own.parameters["properties"]["preprocessing"]["enum"] == ["halved", "bgr255"]
    assert own.package == "mine"
