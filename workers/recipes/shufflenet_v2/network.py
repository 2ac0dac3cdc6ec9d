"""ShuffleNetV2 in its four widths (arXiv:1807.11164)."""

from torch import nn

from service.contract.search_spaces import placements
from workers.networks.blocks import inverted_unit
from workers.networks.plain import PlainNetwork
from workers.recipes.params import RecipeParams

_STEM = 24
_REPEATS = (4, 8, 4)
_CHANNELS = {
    "0.5x": (48, 96, 192, 1024),
    "1.0x": (116, 232, 464, 1024),
    "1.5x": (176, 352, 704, 1024),
    "2.0x": (244, 488, 976, 2048),
}
_DROPOUT = {"2.0x": 0.2}


def shufflenet_v2(variant: str, num_classes: int, params: RecipeParams) -> nn.Module:
    """The network of one width; `params.dropout` left out is 0.2 for 2.0x and 0 for the others."""
    *stages, last = _CHANNELS[variant]
    units = [
        inverted_unit(channels, out, out // 2, kernel=3, stride=stride)
        for channels, out, stride in placements(_STEM, zip(stages, _REPEATS, strict=True))
    ]
    return PlainNetwork(
        units,
        stem=_STEM,
        pooled_stem=True,
        trunk=stages[-1],
        last=last,
        num_classes=num_classes,
        dropout=_DROPOUT.get(variant, 0.0) if params.dropout is None else params.dropout,
    )
