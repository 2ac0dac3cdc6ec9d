"""The training step of the service on a batch of the host, as the trainer does it."""

import torch
from torch import Tensor

from workers.recipes.optimizer import sgd
from workers.recipes.params import RecipeParams
from workers.recipes.table import recipe_named
from workers.training.execution import Execution
from workers.training.execution_choice import usual_execution
from workers.training.progress import Window
from workers.training.step import TrainingStep

DEFAULT = usual_execution(torch.device("cpu"))


class OurLoop:
    """Network, optimizer and sums of a run of a recipe with 1000 classes."""

    def __init__(
        self,
        recipe: str,
        variant: str,
        params: RecipeParams,
        device: torch.device,
        execution: Execution = DEFAULT,
    ) -> None:
        entry = recipe_named(recipe)
        self._device = device
        network = entry.build(variant, 1000, params).to(device)
        self._step = TrainingStep(entry, params, network, sgd(network, params), execution)
        self._window, self._steps = Window(), 0

    def step(self, images: Tensor, labels: Tensor) -> Tensor:
        """One iteration on a batch of the host; gives the loss, ()."""
        images, labels = images.to(self._device), labels.to(self._device)
        self._steps += 1
        loss, logits = self._step.train(self._steps, images, labels)
        self._window.add(loss, logits, labels)
        return loss
