"""Ends a run where a loss, a weight or a statistic is not a finite number any more."""

import math
from collections.abc import Mapping

from torch import Tensor

_SHOWN = 3
SMALLER_RATE = "try a smaller learning_rate"


class NonFiniteLoss(Exception):
    """The loss, or what it is computed from, is not finite; the message says where, and what to do.

    The seed makes the same run end so again: it is not retried.
    """


def require_finite_loss(loss: float, where: str) -> None:
    """Raise NonFiniteLoss if the loss is NaN or infinite; `where` is as in `by step 3`."""
    if not math.isfinite(loss):
        raise NonFiniteLoss(f"the loss is {loss} {where}")


def require_finite_tensors(tensors: Mapping[str, Tensor], what: str, remedy: str) -> None:
    """Raise NonFiniteLoss, which names the tensors that have NaN or infinite elements.

    `what` is as in `the weights of ckpt_1 are`, `remedy` what the user may do.
    """
    wrong = [
        name
        for name, tensor in tensors.items()
        if tensor.is_floating_point() and not bool(tensor.isfinite().all())
    ]
    if wrong:
        names = ", ".join(wrong[:_SHOWN]) + (", …" if len(wrong) > _SHOWN else "")
        count = f"{len(wrong)} tensor{'s' if len(wrong) > 1 else ''}"
        raise NonFiniteLoss(f"{what} not finite in {count}: {names}; {remedy}")
