"""The network found by single path one-shot search (arXiv:1904.00420)."""

from torch import nn

from workers.models.blocks import inverted_unit, xception_unit
from workers.models.plain import PlainNetwork

_STAGES = ((64, 4), (160, 4), (320, 8), (640, 4))
_STEM, _LAST = 16, 1024
_KERNELS = {0: 3, 1: 5, 2: 7}
_XCEPTION = 3
_BLOCKS = (0, 0, 3, 1, 1, 1, 0, 0, 2, 0, 2, 1, 1, 0, 2, 0, 2, 1, 3, 2)
_SCALES = (0.2, 0.4, 0.6, 0.8, 1.0, 1.2, 1.4, 1.6)
_SCALE_IDS = (6, 5, 3, 5, 2, 6, 3, 4, 2, 5, 7, 5, 4, 6, 7, 4, 4, 5, 4, 3)


def oneshot(variant: str, num_classes: int, dropout: float | None) -> nn.Module:
    """The searched network; `dropout` before the classifier is 0.1 where not given."""
    assert variant == "searched"
    return PlainNetwork(
        _units(),
        stem=_STEM,
        pooled_stem=False,
        trunk=_STAGES[-1][0],
        last=_LAST,
        num_classes=num_classes,
        dropout=0.1 if dropout is None else dropout,
    )


def _units() -> list[nn.Module]:
    units: list[nn.Module] = []
    channels = _STEM
    for out, repeats in _STAGES:
        for repeat in range(repeats):
            stride = 2 if repeat == 0 else 1
            channels_in = channels if repeat == 0 else channels // 2
            block = _BLOCKS[len(units)]
            middle = int(out // 2 * _SCALES[_SCALE_IDS[len(units)]])
            if block == _XCEPTION:
                units.append(xception_unit(channels_in, out, middle, stride=stride))
            else:
                kernel = _KERNELS[block]
                units.append(inverted_unit(channels_in, out, middle, kernel=kernel, stride=stride))
            channels = out
    return units
