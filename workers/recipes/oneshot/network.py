"""The network found by single path one-shot search (arXiv:1904.00420)."""

from torch import nn

from workers.networks.blocks import placements, searched_unit
from workers.networks.plain import PlainNetwork
from workers.recipes.params import RecipeParams

_STAGES = ((64, 4), (160, 4), (320, 8), (640, 4))
_STEM, _LAST = 16, 1024
BLOCKS = (0, 0, 3, 1, 1, 1, 0, 0, 2, 0, 2, 1, 1, 0, 2, 0, 2, 1, 3, 2)
_SCALES = (0.2, 0.4, 0.6, 0.8, 1.0, 1.2, 1.4, 1.6)
_SCALE_IDS = (6, 5, 3, 5, 2, 6, 3, 4, 2, 5, 7, 5, 4, 6, 7, 4, 4, 5, 4, 3)


def oneshot(variant: str, num_classes: int, params: RecipeParams) -> nn.Module:
    """The searched network; `params.dropout` before the classifier is 0.1 where not given."""
    assert variant == "searched"
    return PlainNetwork(
        _units(),
        stem=_STEM,
        pooled_stem=False,
        trunk=_STAGES[-1][0],
        last=_LAST,
        num_classes=num_classes,
        dropout=0.1 if params.dropout is None else params.dropout,
    )


def _units() -> list[nn.Module]:
    return [
        searched_unit(block, channels, out, int(out // 2 * _SCALES[scale]), stride=stride)
        for (channels, out, stride), block, scale in zip(
            placements(_STEM, _STAGES), BLOCKS, _SCALE_IDS, strict=True
        )
    ]
