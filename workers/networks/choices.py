"""A unit that is one of several, each with weights of its own, and paths through such units."""

from collections.abc import Iterable

from torch import Tensor, nn


class Choice(nn.ModuleList):
    """Units of which `taken` alone computes; the others get no gradient in that step."""

    def __init__(self, units: Iterable[nn.Module]) -> None:
        super().__init__(units)
        self.taken = 0

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) -> (N, C', H/stride, W/stride)."""
        out: Tensor = self[self.taken](x)
        return out


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
