"""The architecture of a file's network, read off the shapes of its units' convolutions."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from torch import Tensor

from service.contract.architectures import PUBLISHED_WIDTH, Architecture
from service.contract.search_spaces import KERNELS, WIDTHS, XCEPTION, Place, SearchSpace
from service.contract.space_table import SpaceTable

_BLOCKS = {kernel: block for block, kernel in KERNELS.items()}
_UNIT = re.compile(r"features\.(\d{1,4})\.(\w+)\.")
_PROJECTION = "proj"


class _Depthwise(NamedTuple):
    channels: int
    kernel: int


def architectures_in(tensors: Mapping[str, Tensor], spaces: SpaceTable) -> Iterator[str]:
    """Of each space the variant whose units have these shapes; none if a unit has others.

    The other tensors may still fit no network of the space.
    """
    units = _depthwise_of_units(tensors)
    for space in spaces.spaces:
        architecture = _architecture(units, space)
        if architecture is not None:
            yield space.variant(architecture)


def _architecture(
    units: Mapping[int, Sequence[_Depthwise]], space: SearchSpace
) -> Architecture | None:
    digits = [_unit(units.get(number, ()), place) for number, place in enumerate(space.places)]
    present = [each for each in digits if each is not None]
    if len(present) < len(digits):
        return None
    blocks, widths = zip(*present, strict=True)
    architecture = Architecture("".join(map(str, blocks)), "".join(map(str, widths)))
    return architecture if space.problem(architecture) is None else None


def _unit(depthwise: Sequence[_Depthwise], place: Place) -> tuple[int, int] | None:
    """The block and the width of the unit at a place.

    In an inverted unit the one depthwise convolution has the middle channels, in an xception unit
    the last two of three have them.
    """
    middle, _ = (
        Counter(each.channels for each in depthwise).most_common(1)[0] if depthwise else (0, 0)
    )
    if len(depthwise) == 1:
        block = _BLOCKS.get(depthwise[0].kernel)
    else:
        block = XCEPTION if len(depthwise) == 3 else None
    # The published width first: a space of few channels may round others to the same number.
    order = sorted(range(len(WIDTHS)), key=lambda width: str(width) != PUBLISHED_WIDTH)
    width = next((each for each in order if place.middle(each) == middle), None)
    return None if block is None or width is None else (block, width)


def _depthwise_of_units(tensors: Mapping[str, Tensor]) -> Mapping[int, Sequence[_Depthwise]]:
    """The depthwise convolutions of each unit's main branch."""
    found: dict[int, list[_Depthwise]] = defaultdict(list)
    for name, tensor in tensors.items():
        unit = _UNIT.match(name)
        if unit is None or tensor.dim() != 4 or _PROJECTION in unit[2]:
            continue
        channels, each_in, _, kernel = tensor.shape
        if each_in == 1 and kernel > 1:
            found[int(unit[1])].append(_Depthwise(channels, kernel))
    return found
