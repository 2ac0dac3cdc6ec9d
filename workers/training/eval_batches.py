"""How many images an evaluation computes at once, and what it does if they do not fit."""

import torch
from torch import Tensor, nn

from workers.training.memory_errors import memory_problem

_MOST_IMAGES = 256
_CPU_PIXELS = 16 * 224**2
"""A core computes OneShot at 224 pixels 1.9 to 3.5 times as fast by 16 images as by 200: what a
layer gives to the next one still is in the cache."""


def eval_batch_size(device: torch.device, image_size: int) -> int:
    """The images of a batch: few enough for the caches of a CPU, many for a GPU."""
    if device.type != "cpu":
        return _MOST_IMAGES
    return max(1, min(_CPU_PIXELS // image_size**2, _MOST_IMAGES))


class EvalForward:
    """Computes the logits of batches; one that does not fit, and those after it, in halves."""

    def __init__(self, network: nn.Module) -> None:
        self._network = network
        self._largest: int | None = None

    def __call__(self, inputs: Tensor) -> Tensor:
        """The logits (N, C) in the order of the inputs (N, 3, S, S).

        Raises what is no want of memory, and a want of memory for one image.
        """
        while True:
            size = min(self._largest or len(inputs), len(inputs))
            logits = self._in_parts(inputs, size)
            if logits is not None:
                return logits
            # Outside of the handler, whose traceback holds what was computed of the batch.
            if torch.cuda.is_available():
                torch.cuda.empty_cache()
            self._largest = size // 2

    def _in_parts(self, inputs: Tensor, size: int) -> Tensor | None:
        """None if `size` images at once do not fit, and fewer may."""
        try:
            logits = [self._network(part) for part in torch.split(inputs, size)]
        except (RuntimeError, MemoryError) as error:
            if size == 1 or memory_problem(error, oom_killed=False) is None:
                raise
            return None
        return logits[0] if len(logits) == 1 else torch.cat(logits)
