"""The losses of the families."""

from torch import Tensor
from torch.nn.functional import cross_entropy

from workers.recipes.params import RecipeParams

AUXILIARY_WEIGHTS = (1.0, 0.7, 0.5, 0.3)
"""Of the outputs at 7, 14, 28 and 56 pixels. Source: ShuffleNetV2.Large/train.py."""


def training_loss(
    outputs: Tensor | tuple[Tensor, ...], labels: Tensor, params: RecipeParams
) -> Tensor:
    """Cross entropy with smoothed labels; a tuple's losses are weighted and summed."""
    smoothing = params.label_smoothing
    if isinstance(outputs, Tensor):
        return cross_entropy(outputs, labels, label_smoothing=smoothing)
    losses = [cross_entropy(logits, labels, label_smoothing=smoothing) for logits in outputs]
    total = AUXILIARY_WEIGHTS[0] * losses[0]
    for weight, loss in zip(AUXILIARY_WEIGHTS[1:], losses[1:], strict=True):
        total = total + weight * loss
    return total


def wrong_in_top(logits: Tensor, labels: Tensor, k: int) -> Tensor:
    """How many of (N, C) logits have their label not among the k highest; k is capped at C.

    The count, int64 (), stays on the device.
    """
    top = logits.topk(min(k, logits.shape[1]), dim=1).indices
    return (~(top == labels[:, None]).any(dim=1)).sum()
