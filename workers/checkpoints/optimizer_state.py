"""Reads and restores the state of any torch optimizer, by the names of its parameters."""

import math
from collections.abc import Mapping
from copy import deepcopy
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from workers.checkpoints.tensors import storable
from workers.checkpoints.upstream import IncompatibleCheckpoint, differences

MOMENTUM = "momentum_buffer"
_SCHEDULED, _COUNTER = "lr", "step"
_ON_PARAMETERS_DEVICE = ("capturable", "fused")


class Slot(NamedTuple):
    """The parameter and the key of one entry of an optimizer's state."""

    parameter: str
    key: str

    @property
    def tensor_name(self) -> str:
        """The entry's name in a file: for momentum the parameter's name, else `parameter.key`."""
        return self.parameter if self.key == MOMENTUM else f"{self.parameter}.{self.key}"


def slot_of(tensor_name: str, parameters: Mapping[str, object]) -> Slot | None:
    """The entry of a tensor in a file; None if no parameter has a matching name."""
    if tensor_name in parameters:
        return Slot(tensor_name, MOMENTUM)
    parameter, _, key = tensor_name.rpartition(".")
    return Slot(parameter, key) if parameter in parameters else None


class OptimizerState:
    """Reads an optimizer's state and restores it, bit for bit.

    Create it before the first step: the values of a parameter group that steps have changed are
    part of the state, except the learning rate, which the schedule sets.
    """

    def __init__(self, model: nn.Module, optimizer: torch.optim.Optimizer) -> None:
        self._model, self._optimizer = model, optimizer
        self._first_groups = [deepcopy(_values(group)) for group in optimizer.param_groups]

    def tensors(self) -> dict[str, Tensor]:
        """The tensors of the state by their names in a file; empty before the first step.

        Raises TypeError for a tensor that a checkpoint cannot hold.
        """
        slots = self._slots()
        tensors = {s.tensor_name: value for s, value in slots.items() if isinstance(value, Tensor)}
        for name, tensor in tensors.items():
            if not storable(tensor):
                raise TypeError(f"the optimizer's {name} has the unsupported type {tensor.dtype}")
        return tensors

    def scalars(self) -> dict[str, Any]:
        """The values of the state that are not tensors, as JSON.

        Raises TypeError for a value that JSON cannot hold.
        """
        slots = self._slots()
        values: dict[str, dict[str, Any]] = {}
        for slot, value in slots.items():
            if not isinstance(value, Tensor):
                values.setdefault(slot.parameter, {})[slot.key] = _plain(slot.tensor_name, value)
        groups = [
            _changed(group, first)
            for group, first in zip(self._optimizer.param_groups, self._first_groups, strict=True)
        ]
        scalars: dict[str, Any] = {"values": values, "groups": groups if any(groups) else []}
        return {name: part for name, part in scalars.items() if part}

    def restore(self, tensors: Mapping[str, Tensor], scalars: Mapping[str, Any]) -> None:
        """Replace the optimizer's state, in the memory format of the parameters.

        Raises IncompatibleCheckpoint if a name or shape does not fit the model.
        """
        parameters = dict(self._model.named_parameters())
        _check(parameters, tensors)
        for parameter in parameters.values():
            self._optimizer.state.pop(parameter, None)
        for name, tensor in tensors.items():
            slot = slot_of(name, parameters)
            assert slot is not None
            parameter = parameters[slot.parameter]
            self._optimizer.state[parameter][slot.key] = self._placed(slot.key, tensor, parameter)
        for name, values in scalars.get("values", {}).items():
            self._optimizer.state[parameters[name]].update(values)
        for group, changed in zip(
            self._optimizer.param_groups, scalars.get("groups", []), strict=False
        ):
            group.update(changed)

    def _slots(self) -> dict[Slot, Any]:
        return {
            Slot(name, key): value
            for name, parameter in self._model.named_parameters()
            for key, value in self._optimizer.state.get(parameter, {}).items()
            if value is not None
        }

    def _placed(self, key: str, tensor: Tensor, parameter: nn.Parameter) -> Tensor:
        # As in torch, a step counter is on the CPU unless a kernel on the device reads it.
        if key == _COUNTER and not self._counts_on_device(parameter):
            return tensor.clone()
        if tensor.shape != parameter.shape:
            return tensor.to(parameter.device, copy=True)
        empty = torch.empty_like(parameter, dtype=tensor.dtype, requires_grad=False)
        return empty.copy_(tensor)

    def _counts_on_device(self, parameter: nn.Parameter) -> bool:
        groups = self._optimizer.param_groups
        own = next(group for group in groups if any(p is parameter for p in group["params"]))
        return any(own.get(name) for name in _ON_PARAMETERS_DEVICE)


def _check(parameters: Mapping[str, Tensor], tensors: Mapping[str, Tensor]) -> None:
    slots = {name: slot_of(name, parameters) for name in tensors}
    expected = {
        name: parameters[slot.parameter] if slot.key == MOMENTUM else tensors[name]
        for name, slot in slots.items()
        if slot is not None
    }
    wrong = differences(expected, tensors)
    if wrong:
        raise IncompatibleCheckpoint(f"the optimizer state does not fit the network: {wrong}")


def _values(group: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in group.items() if key not in ("params", _SCHEDULED)}


def _changed(group: Mapping[str, Any], first: Mapping[str, Any]) -> dict[str, Any]:
    return {
        key: _plain(key, value)
        for key, value in _values(group).items()
        if key not in first or not _equal(first[key], value)
    }


def _equal(one: Any, other: Any) -> bool:
    if isinstance(one, Tensor) and isinstance(other, Tensor):
        return torch.equal(one, other)
    return bool(one == other)


def _plain(name: str, value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        raise TypeError(f"the optimizer's {name} is {value}: a checkpoint holds finite numbers")
    if isinstance(value, (bool, int, float, str)) or value is None:
        return value
    if isinstance(value, (list, tuple)):
        return [_plain(name, part) for part in value]
    raise TypeError(
        f"the optimizer's {name} is a {type(value).__name__}: a checkpoint holds tensors, numbers, "
        "texts and lists of them"
    )
