"""Reads and writes the optimizer and schedule states of the original scripts."""

from collections.abc import Iterator, Mapping
from typing import Any

import torch
from torch import Tensor

from workers.checkpoints.optimizer_state import MOMENTUM, slot_of
from workers.checkpoints.snapshot import CheckpointContent
from workers.checkpoints.tensors import storable
from workers.checkpoints.upstream import shown
from workers.exchange.identify import Signature
from workers.recipes.base import Recipe
from workers.recipes.params import RecipeParams

OPTIMIZER, SCHEDULE = "optimizer_state_dict", "lr_scheduler_state_dict"
"""The keys in files of the original scripts; some scripts save the weights alone."""

_DEFAULTS = {"dampening": 0, "nesterov": False, "maximize": False}


class ForeignOptimizer(ValueError):
    """An optimizer state that is not SGD's over this network's parameters."""


def optimizer_in(content: Any) -> Any:
    """The state of an optimizer in the content of a file, under whichever key; None without one.

    A program that saves a list of them, as Lightning does, is taken at the first.
    """
    if not isinstance(content, Mapping):
        return None
    for value in (content.get(OPTIMIZER), *content.values()):
        state = value[0] if isinstance(value, list) and value else value
        if isinstance(state, Mapping) and "param_groups" in state:
            return state
    return content.get(OPTIMIZER)


def momentum_from(
    state: Any, network: Signature, weights: Mapping[str, Tensor]
) -> dict[str, Tensor]:
    """Parameter name -> momentum buffer, from the `state_dict()` of an SGD optimizer.

    Its parameters are numbered in two groups, those with weight decay first; older versions of
    torch use addresses as numbers. Raises ForeignOptimizer.
    """
    if not isinstance(state, Mapping):
        raise ForeignOptimizer("it is not a dictionary")
    groups, buffers = state.get("param_groups"), state.get("state")
    if not isinstance(groups, list) or not isinstance(buffers, Mapping):
        raise ForeignOptimizer("it has no param_groups or no state")
    keys = [_numbers(group) for group in groups]
    _require_sgd(groups)
    sizes = [len(group) for group in keys]
    expected = [network.decay_count, len(network.parameters) - network.decay_count]
    if sizes != expected:
        raise ForeignOptimizer(f"it has groups of {sizes} parameters, not of {expected}")
    momentum = {}
    for name, key in zip(network.parameters, (key for group in keys for key in group), strict=True):
        of_parameter = buffers.get(key, {})
        buffer = of_parameter.get(MOMENTUM) if isinstance(of_parameter, Mapping) else None
        if buffer is None:
            continue
        if not isinstance(buffer, Tensor) or buffer.shape != weights[name].shape:
            raise ForeignOptimizer(f"its buffer of {name} has another shape")
        if not (storable(buffer) and buffer.is_floating_point()):
            raise ForeignOptimizer(f"its buffer of {name} has the unsupported type {buffer.dtype}")
        momentum[name] = buffer
    if not momentum:
        raise ForeignOptimizer("it has no momentum")
    return momentum


def _require_sgd(groups: list[Any]) -> None:
    for group in groups:
        if "momentum" not in group:
            names = [name for name in group if isinstance(name, str) and name != "params"]
            options = ", ".join(names)
            raise ForeignOptimizer(f"its options are not those of SGD ({shown(options)})")
        for name, default in _DEFAULTS.items():
            value = group.get(name, default)
            if not isinstance(value, (bool, int, float)) or value != default:
                raise ForeignOptimizer(f"it is SGD with {name}")


def _numbers(group: Any) -> list[int]:
    numbers = group.get("params") if isinstance(group, Mapping) else None
    if not isinstance(numbers, list) or not all(isinstance(number, int) for number in numbers):
        raise ForeignOptimizer("its param_groups hold no numbered parameters")
    return numbers


def state_dicts(recipe: Recipe, params: RecipeParams, loaded: CheckpointContent) -> dict[str, Any]:
    """`optimizer_state_dict` and `lr_scheduler_state_dict` as the original saves them at this step.

    The learning rates are those of `params`; in the series, `lr * (1 - step/total_iters)`.
    """
    step = loaded.manifest.step
    with torch.device("meta"):
        network = recipe.build(loaded.manifest.variant, loaded.manifest.num_classes, params)
    optimizer = recipe.optimizer_of(network, params)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda _: 1.0)
    rate = recipe.learning_rate(params, min(step, params.total_iters))
    schedule.last_epoch, schedule._step_count = step, step + 1
    schedule._last_lr = [rate for _ in optimizer.param_groups]
    for group in optimizer.param_groups:
        group["lr"] = rate
    names = {id(parameter): name for name, parameter in network.named_parameters()}
    numbers = {
        names[id(parameter)]: number for number, parameter in enumerate(_in_order(optimizer))
    }
    state = optimizer.state_dict()
    state["state"] = _numbered(loaded, numbers)
    return {OPTIMIZER: state, SCHEDULE: schedule.state_dict()}


def _in_order(optimizer: torch.optim.Optimizer) -> Iterator[Tensor]:
    for group in optimizer.param_groups:
        yield from group["params"]


def _numbered(loaded: CheckpointContent, numbers: Mapping[str, int]) -> dict[int, dict[str, Any]]:
    of_rank = loaded.rank_states[0].get("optimizer", {}) if loaded.rank_states else {}
    state: dict[int, dict[str, Any]] = {}
    for name, tensor in loaded.optimizer.items():
        slot = slot_of(name, numbers)
        assert slot is not None, f"{name} is of no parameter of the network"
        state.setdefault(numbers[slot.parameter], {})[slot.key] = tensor
    for name, values in of_rank.get("values", {}).items():
        state.setdefault(numbers[name], {}).update(values)
    return dict(sorted(state.items()))
