"""A unit that is one of several, each with weights of its own, and paths through such units."""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn

from workers.networks.plain import PlainNetwork


class Choice(nn.ModuleList):
    """Units of which `taken` alone computes; the others get no gradient in that step."""

    def __init__(self, units: Iterable[nn.Module]) -> None:
        super().__init__(units)
        self.taken = 0

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) -> (N, C', H/stride, W/stride)."""
        out: Tensor = self[self.taken](x)
        return out


class Parts(NamedTuple):
    """A network that computes its stem, a unit of each place, and its tail, one after the other."""

    stem: nn.Module
    places: Sequence[Choice]
    tail: nn.Module


def parts_of(network: nn.Module) -> Parts:
    """The parts of a plain network whose units are choices; they are the network's own modules."""
    assert isinstance(network, PlainNetwork)
    stem = nn.Sequential(network.first_conv, network.maxpool)
    ends = network.conv_last, network.globalpool, network.dropout, nn.Flatten(1)
    return Parts(stem, choices_of(network.features), nn.Sequential(*ends, network.classifier))


def choices_of(units: nn.Sequential) -> Sequence[Choice]:
    """The units of a network, each of which is a choice."""
    places = [unit for unit in units if isinstance(unit, Choice)]
    assert len(places) == len(units)
    return places


def take(network: nn.Module, path: str) -> None:
    """Have the network compute by a path: a digit for each of its choices, the first one first."""
    choices = [module for module in network.modules() if isinstance(module, Choice)]
    for choice, digit in zip(choices, path, strict=True):
        choice.taken = int(digit)


def has_choices(network: nn.Module) -> bool:
    """Whether some of the network's weights take part in some of its steps only."""
    return any(isinstance(module, Choice) for module in network.modules())


def drop_scales(network: nn.Module) -> None:
    """Take scale and shift from every batch norm: they have statistics alone."""
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.affine = False
            module.weight = module.bias = None  # type: ignore[assignment]


def tensors_of_path(tensors: Mapping[str, Tensor], path: str) -> dict[str, Tensor]:
    """The state dict of the network that has only the units of a path, from that of all.

    Its batch norms have scale and shift: 1 and 0 where all have none.
    """
    units = {f"features.{place}.{digit}.": f"features.{place}." for place, digit in enumerate(path)}
    found: dict[str, Tensor] = {}
    for name, tensor in tensors.items():
        new = _name_in_path(name, units)
        if new is None:
            continue
        norm = new.removesuffix(".running_mean")
        if norm != new and f"{name.removesuffix('.running_mean')}.weight" not in tensors:
            found[f"{norm}.weight"] = torch.ones_like(tensor)
            found[f"{norm}.bias"] = torch.zeros_like(tensor)
        found[new] = tensor
    return found


def _name_in_path(name: str, units: Mapping[str, str]) -> str | None:
    """The name of a tensor where the units of a path stand alone; None for one of another unit."""
    if not name.startswith("features."):
        return name
    of_unit = next((unit for unit in units if name.startswith(unit)), None)
    return None if of_unit is None else units[of_unit] + name.removeprefix(of_unit)
