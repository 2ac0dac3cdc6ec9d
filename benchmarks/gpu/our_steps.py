"""The service's steps on a device, as the trainer does them, in each way to compute one."""

import torch

from benchmarks.gpu.device import Scale
from workers.data.batch_transform import BatchTransform
from workers.data.jpeg_decoder import JpegDecoder
from workers.data.loader import Batch, LoadedBatch
from workers.recipes.params import RecipeParams
from workers.recipes.table import recipe_named
from workers.training.device_inputs import is_pinned_for, to_inputs_on
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


def tuned_for(target: torch.device) -> Execution:
    """bf16 autocast where that is CUDA's, channels_last and fused SGD."""
    precision: Precision = "bf16" if target.type == "cuda" else "fp32"
    return Execution(precision, "channels_last", fused=True)


def synthetic(target: torch.device, scale: Scale) -> Batch:
    """A batch of noise on the host, in the memory that a loader would have it in."""
    shape = (scale.batch, scale.pixels, scale.pixels, 3)
    pixels = torch.randint(0, 256, shape, dtype=torch.uint8).permute(0, 3, 1, 2)
    batch = Batch(pixels, torch.zeros(scale.batch, dtype=torch.int64), torch.empty(scale.batch, 0))
    return Batch(*(part.pin_memory() for part in batch)) if is_pinned_for(target) else batch


class OurSteps:
    """A network of 1000 classes; without a transform, inputs are made of pixels as `bgr255`."""

    def __init__(self, target: torch.device, scale: Scale, execution: Execution) -> None:
        recipe, params = recipe_named(RECIPE), params_of(scale)
        self._device = target
        self._format = format_of(execution)
        network = recipe.build(VARIANT, 1000, params).to(target)
        optimizer = recipe.optimizer_of(network, params)
        self._step = TrainingStep(recipe, params, network, optimizer, execution)
        self._window, self._steps = Window(), 0
        self.use(BatchTransform("bgr255"))

    def use(self, transform: BatchTransform, decoder: JpegDecoder | None = None) -> None:
        """Have this transform make the inputs from here on, and this decoder read files."""
        self._to_inputs = to_inputs_on(self._device, transform, decoder)

    def step(self, batch: LoadedBatch) -> None:
        """One iteration on a batch of the host."""
        images, labels = self._to_inputs(batch, self._format)
        self._steps += 1
        loss, logits = self._step.train(self._steps, images, labels)
        self._window.add(loss, logits, labels)
