"""The optimizer and the schedule of the original scripts: read from a file, and written to one."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from service.contract.recipes import RecipeParams
from workers.checkpoints.tensors import storable
from workers.exchange.identify import Signature
from workers.recipes import build
from workers.recipes.optimizer import learning_rate, sgd

OPTIMIZER, SCHEDULE = "optimizer_state_dict", "lr_scheduler_state_dict"
"""The keys of ShuffleNetV2.Large and DetNAS; the other families saved neither."""


class ForeignOptimizer(ValueError):
    """An optimizer state that is not SGD's over this network's parameters."""


def momentum_from(
    state: Any, network: Signature, weights: Mapping[str, Tensor]
) -> dict[str, Tensor]:
    """Parameter name -> momentum buffer of the shape of its weight, from a `state_dict()`.

    Its parameters are numbered in two groups, the decayed ones first (older torch numbers by
    address).
    Raises ForeignOptimizer.
    """
    if not isinstance(state, Mapping):
        raise ForeignOptimizer("it is no dictionary")
    groups, buffers = state.get("param_groups"), state.get("state")
    if not isinstance(groups, list) or not isinstance(buffers, Mapping):
        raise ForeignOptimizer("it has no param_groups and state")
    keys = [_numbers(group) for group in groups]
    sizes, decayed = [len(of_group) for of_group in keys], network.decayed
    expected = [decayed, len(network.optimized) - decayed]
    if sizes != expected:
        raise ForeignOptimizer(f"it has groups of {sizes} parameters, not of {expected}")
    found = {}
    for name, key in zip(
        network.optimized, (k for of_group in keys for k in of_group), strict=True
    ):
        of_parameter = buffers.get(key, {})
        buffer = of_parameter.get("momentum_buffer") if isinstance(of_parameter, Mapping) else None
        if buffer is None:
            continue
        if not isinstance(buffer, Tensor) or buffer.shape != weights[name].shape:
            raise ForeignOptimizer(f"its buffer of {name} has another shape")
        if not storable(buffer):
            raise ForeignOptimizer(f"its buffer of {name} is of a foreign kind, {buffer.dtype}")
        found[name] = buffer
    return found


def _numbers(group: Any) -> list[int]:
    numbers = group.get("params") if isinstance(group, Mapping) else None
    if not isinstance(numbers, list) or not all(isinstance(number, int) for number in numbers):
        raise ForeignOptimizer("its param_groups hold no numbered parameters")
    return numbers


def state_dicts(
    recipe: str, variant: str, params: RecipeParams, step: int, momentum: Mapping[str, Tensor]
) -> dict[str, Any]:
    """`optimizer_state_dict` and `lr_scheduler_state_dict` as the original has them after `step`.

    The values of the original's schedule, `lr * (1 - step/total_iters)`, are those of `params`.
    """
    with torch.device("meta"):
        network = build(recipe, variant)
    optimizer = sgd(network, params)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda _: 1.0)
    rate = learning_rate(params, min(step, params.total_iters))
    schedule.last_epoch, schedule._step_count, schedule._last_lr = step, step + 1, [rate, rate]
    for group in optimizer.param_groups:
        group["lr"] = rate
    names = {id(parameter): name for name, parameter in network.named_parameters()}
    ordered = [names[id(p)] for group in optimizer.param_groups for p in group["params"]]
    state = optimizer.state_dict()
    state["state"] = {
        number: {"momentum_buffer": momentum[name]}
        for number, name in enumerate(ordered)
        if name in momentum
    }
    return {OPTIMIZER: state, SCHEDULE: schedule.state_dict()}
