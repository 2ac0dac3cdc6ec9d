"""How an eval computes: in fp32, unless its parameters name another precision."""

from dataclasses import replace

import torch
from torch import nn

from workers.recipes.params import RecipeParams
from workers.training.execution import (
    ORIGINAL,
    Execution,
    autocast,
    format_of,
    prepare_for,
    require_bf16,
    set_kernels,
)


def prepare_eval(network: nn.Module, params: RecipeParams, device: torch.device) -> Execution:
    """How the network, which is on the device, computes an eval; its weights are laid out for it.

    `auto` is fp32, since a published error is one of fp32, in the format that the device is
    fastest by, unless the network cannot compute in it. Raises InvalidData where the parameters
    name bf16 and the device cannot.
    """
    set_kernels(device, exact=params.exact)
    if params.precision == "bf16":
        require_bf16(device)
    execution = _named(params, device)
    prepare_for(network.eval(), execution)
    if params.memory_format == "auto" and not _computes(network, execution, params, device):
        # As one that reshapes by `view`, which needs contiguous features.
        execution = replace(execution, memory_format="contiguous")
        prepare_for(network, execution)
    return execution


def _named(params: RecipeParams, device: torch.device) -> Execution:
    if params.parity:
        return ORIGINAL
    is_bf16 = params.precision == "bf16"
    execution = Execution("bf16" if is_bf16 else "fp32")
    if params.memory_format != "auto":
        return replace(execution, memory_format=params.memory_format)
    # Tensor cores read channels_last; fp32 of cuDNN is as fast contiguous.
    is_last = is_bf16 or device.type == "cpu"
    return replace(execution, memory_format="channels_last" if is_last else "contiguous")


def _computes(
    network: nn.Module, execution: Execution, params: RecipeParams, device: torch.device
) -> bool:
    image = torch.zeros(1, 3, params.image_size, params.image_size, device=device)
    try:
        with torch.inference_mode(), autocast(device, execution):
            network(image.contiguous(memory_format=format_of(execution)))
    except RuntimeError:
        return False
    return True
