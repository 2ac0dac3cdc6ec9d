"""The momentum buffers of SGD, by the names of their parameters."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from workers.checkpoints.upstream import IncompatibleCheckpoint, differences


def momentum_of(model: nn.Module, optimizer: torch.optim.Optimizer) -> dict[str, Tensor]:
    """Parameter name -> momentum buffer; a parameter before its first step has none."""
    found = {}
    for name, parameter in model.named_parameters():
        buffer = optimizer.state.get(parameter, {}).get("momentum_buffer")
        if buffer is not None:
            found[name] = buffer
    return found


def restore_momentum(
    model: nn.Module, optimizer: torch.optim.Optimizer, tensors: Mapping[str, Tensor]
) -> None:
    """Give the optimizer these buffers and no others, in place and memory format of the parameters.

    Raises IncompatibleCheckpoint for a name or shape that is not the model's.
    """
    parameters = dict(model.named_parameters())
    known = {name: parameters[name] for name in tensors if name in parameters}
    wrong = differences(known, tensors)
    if wrong:
        raise IncompatibleCheckpoint(f"the momentum is of another network: {wrong}")
    for name, parameter in parameters.items():
        optimizer.state[parameter].pop("momentum_buffer", None)
        if name in tensors:
            buffer = torch.empty_like(parameter, requires_grad=False)
            optimizer.state[parameter]["momentum_buffer"] = buffer.copy_(tensors[name])
