"""The losses of the families."""

import torch
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


def ranks_of_labels(logits: Tensor, labels: Tensor) -> Tensor:
    """The rank, from 0, of each label's logit in its row of (N, C) logits: int64 (N,).

    Among equal logits the one of the lower class comes first, and a NaN before every number.
    Nothing is sorted, and nothing waits for the device.
    """
    own = logits.gather(1, labels[:, None])
    # Not `>`: a NaN must count as higher, and a label whose logit is NaN as the last.
    higher = ~(logits <= own)
    classes = torch.arange(logits.shape[1], device=logits.device)
    return (higher | ((logits == own) & (classes < labels[:, None]))).sum(1)
