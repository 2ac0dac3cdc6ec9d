"""The service's steps on a device, as the trainer does them, eager and tuned."""

import torch

from benchmarks.gpu.device import Scale
from workers.data.batch_transform import BatchTransform
from workers.data.loader import Batch
from workers.recipes.params import RecipeParams
from workers.recipes.table import recipe_named
from workers.training.device_inputs import to_inputs_on
from workers.training.execution import Execution, Precision, format_of
from workers.training.progress import Window
from workers.training.step import TrainingStep

RECIPE, VARIANT = "oneshot", "searched"


def params_of(scale: Scale) -> RecipeParams:
    """Of the network that every way trains."""
    params: RecipeParams = recipe_named(RECIPE).params(
        learning_rate=0.01, batch_size=scale.batch, image_size=scale.pixels
    )
    return params


class OurSteps:
    """A network of 1000 classes; `tuned` is bf16 autocast, channels_last and fused SGD."""

    def __init__(self, target: torch.device, scale: Scale, *, tuned: bool) -> None:
        recipe, params = recipe_named(RECIPE), params_of(scale)
        self._device = target
        precision: Precision = "bf16" if target.type == "cuda" else "fp32"
        execution = Execution(precision, "channels_last", fused=True) if tuned else Execution()
        self._format = format_of(execution)
        network = recipe.build(VARIANT, 1000, params).to(target)
        optimizer = recipe.optimizer_of(network, params)
        self._step = TrainingStep(recipe, params, network, optimizer, execution)
        self._window, self._steps = Window(), 0

    def use(self, transform: BatchTransform) -> None:
        """Have this transform make the inputs from here on."""
        self._to_inputs = to_inputs_on(self._device, transform)

    def step(self, batch: Batch) -> None:
        """One iteration on a batch of the host."""
        images, labels = self._to_inputs(batch, self._format)
        self._steps += 1
        loss, logits = self._step.train(self._steps, images, labels)
        self._window.add(loss, logits, labels)
