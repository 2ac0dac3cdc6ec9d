"""The training step of the service on a batch of the host, as the trainer does it."""

from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from workers.recipes.optimizer import sgd
from workers.recipes.params import RecipeParams
from workers.recipes.table import recipe_named
from workers.training.progress import Window
from workers.training.step import TrainingStep


@dataclass(frozen=True)
class Mode:
    """How the step is computed; the default is what a run on the CPU takes by itself."""

    memory_format: torch.memory_format = torch.channels_last
    fused: bool = True
    compiled: bool = False
    bf16: bool = False


DEFAULT = Mode()


class OurLoop:
    """Network, optimizer and sums of a run of a recipe with 1000 classes."""

    def __init__(
        self,
        recipe: str,
        variant: str,
        params: RecipeParams,
        device: torch.device,
        mode: Mode = DEFAULT,
    ) -> None:
        entry = recipe_named(recipe)
        self._device, self._mode = device, mode
        network = entry.build(variant, 1000, params).to(device)
        network.to(memory_format=mode.memory_format)
        optimizer = sgd(network, params)
        if mode.fused:
            for group in optimizer.param_groups:
                group["fused"] = True
        compiled: Any = torch.compile(network, dynamic=False) if mode.compiled else None
        forward: nn.Module | None = compiled
        self._step = TrainingStep(entry, params, network, optimizer, parallel=forward)
        self._window, self._steps = Window(), 0

    def step(self, images: Tensor, labels: Tensor) -> Tensor:
        """One iteration on a batch of the host; gives the loss, ()."""
        images, labels = images.to(self._device), labels.to(self._device)
        images = images.contiguous(memory_format=self._mode.memory_format)
        self._steps += 1
        with self._autocast():
            loss, logits = self._step.train(self._steps, images, labels)
        self._window.add(loss, logits, labels)
        return loss

    def _autocast(self) -> AbstractContextManager[Any]:
        if not self._mode.bf16:
            return nullcontext()
        return torch.autocast(self._device.type, dtype=torch.bfloat16)
