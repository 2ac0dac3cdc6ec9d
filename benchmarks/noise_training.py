"""A network that trains on noise, to have weights and momentum that change."""

from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from api_tests.support.specs import complete_spec
from workers.checkpoints.optimizer_state import OptimizerState
from workers.recipes import build
from workers.recipes.loss import training_loss
from workers.recipes.optimizer import sgd
from workers.recipes.params import RecipeParams
from workers.recipes.table import recipe_named

BATCH, PIXELS = 4, 64


@dataclass
class Training:
    """A network that trains on noise, with all its momentum."""

    network: nn.Module
    optimizer: torch.optim.SGD
    params: RecipeParams
    state: dict[str, Any] = field(default_factory=dict)

    def step(self) -> None:
        """One iteration."""
        labels = torch.randint(0, 1000, (BATCH,))
        outputs = self.network(torch.randn(BATCH, 3, PIXELS, PIXELS))
        loss = training_loss(outputs, labels, self.params)
        self.optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        self.optimizer.step()

    def model(self) -> dict[str, Tensor]:
        """Parameters and buffers."""
        return self.network.state_dict()

    def momentum(self) -> dict[str, Tensor]:
        """By parameter."""
        return OptimizerState(self.network, self.optimizer).tensors()


def training_of(recipe: str, variant: str | None) -> Training:
    """A training of a recipe at its defaults, after its first step."""
    spec = complete_spec(
        {"kind": "train", "recipe": recipe, "variant": variant, "data": {"dataset": "digits"}}
    )
    assert spec.variant is not None
    network = build(recipe, spec.variant).train()
    params = recipe_named(recipe).params.model_validate(spec.params)
    training = Training(network, sgd(network, params), params)
    training.step()
    return training
