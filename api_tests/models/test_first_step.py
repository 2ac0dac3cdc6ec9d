"""Every variant trains: its gradients are whole and right, from fresh weights on small images."""

import re

import pytest
import torch

from workers.recipes import build
from workers.recipes.loss import training_loss
from workers.recipes.optimizer import sgd
from workers.recipes.table import BUILTIN, recipe_named

_VARIANTS = [(recipe.name, variant) for recipe in BUILTIN for variant in recipe.variants]
_DECREASE = 1e-7
"""Of the loss; so little that the loss is as good as linear in between."""


@pytest.mark.parametrize(("recipe", "variant"), _VARIANTS)
def test_a_step_reaches_every_parameter_and_lowers_the_loss_as_predicted(
    recipe: str, variant: str
) -> None:
    torch.manual_seed(0)
    params = recipe_named(recipe).params(momentum=0, weight_decay=0)
    network = build(recipe, variant, num_classes=10, dropout=0.0).double().train()
    optimizer = sgd(network, params)
    images = torch.rand(2, 3, 64, 64, dtype=torch.float64) * 255
    labels = torch.tensor([3, 7])

    loss = training_loss(network(images), labels, params)
    loss.backward()
    slope = 0.0
    for name, parameter in network.named_parameters():
        if is_off_the_path(recipe, name):
            assert parameter.grad is None, name
            continue
        assert parameter.grad is not None, name
        assert parameter.grad.any(), name
        slope += parameter.grad.square().sum().item()
    for group in optimizer.param_groups:
        group["lr"] = _DECREASE / slope
    optimizer.step()

    with torch.no_grad():
        after = training_loss(network(images), labels, params)
    assert (loss - after).item() == pytest.approx(_DECREASE, rel=0.01)


def is_off_the_path(recipe: str, name: str) -> bool:
    """Whether a supernet, which computes by the first choice of each place, leaves it out."""
    is_supernet = recipe_named(recipe).paths is not None
    return is_supernet and re.match(r"features\.\d+\.[1-3]\.", name) is not None
