"""The architecture of a file's network, read off the shapes of its units' convolutions."""

from collections.abc import Mapping

from torch import Tensor

from service.contract.architectures import Architecture
from service.contract.search_spaces import KERNELS, WIDTHS, XCEPTION, Place, SearchSpace

_BLOCKS = {kernel: block for block, kernel in KERNELS.items()}


def architecture_in(tensors: Mapping[str, Tensor], space: SearchSpace) -> Architecture | None:
    """The architecture of the space whose units have these shapes; None if a unit has others.

    The other tensors may still fit no network of the space.
    """
    digits = [
        _unit(tensors, f"features.{number}.branch_main", place)
        for number, place in enumerate(space.places)
    ]
    present = [each for each in digits if each is not None]
    if len(present) < len(digits):
        return None
    blocks, widths = zip(*present, strict=True)
    return Architecture("".join(map(str, blocks)), "".join(map(str, widths)))


def _unit(tensors: Mapping[str, Tensor], name: str, place: Place) -> tuple[int, int] | None:
    """The block and the width of the unit at a place."""
    first = _shape(tensors, f"{name}.0.weight")
    if first is None:
        return None
    # An inverted unit begins with a 1x1 convolution, an xception unit with a depthwise one.
    if first[2] == 1:
        depthwise = _shape(tensors, f"{name}.3.weight")
        block = _BLOCKS.get(depthwise[-1]) if depthwise else None
        middle = first[0]
    else:
        block = XCEPTION
        middle = (_shape(tensors, f"{name}.2.weight") or (0,))[0]
    widths = {place.middle(width): width for width in range(len(WIDTHS))}
    return None if block is None or middle not in widths else (block, widths[middle])


def _shape(tensors: Mapping[str, Tensor], name: str) -> tuple[int, ...] | None:
    """The shape of a convolution's weight; None where there is none of this name."""
    tensor = tensors.get(name)
    return tuple(tensor.shape) if tensor is not None and tensor.dim() == 4 else None
