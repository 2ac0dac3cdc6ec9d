"""ShuffleNetV1 in four widths, with 3 and with 8 groups (arXiv:1707.01083)."""

from torch import nn

from service.contract.search_spaces import placements
from workers.networks.blocks import GroupUnit
from workers.networks.plain import PlainNetwork
from workers.recipes.params import RecipeParams

_REPEATS = (4, 8, 4)
# Of the stem and of the three stages.
_CHANNELS = {
    "0.5x-g3": (12, 120, 240, 480),
    "0.5x-g8": (16, 192, 384, 768),
    "1.0x-g3": (24, 240, 480, 960),
    "1.0x-g8": (24, 384, 768, 1536),
    "1.5x-g3": (24, 360, 720, 1440),
    "1.5x-g8": (24, 576, 1152, 2304),
    "2.0x-g3": (48, 480, 960, 1920),
    "2.0x-g8": (48, 768, 1536, 3072),
}
_GROUPS = {"g3": 3, "g8": 8}


def shufflenet_v1(variant: str, num_classes: int, params: RecipeParams) -> nn.Module:
    """The network of one width and group count; `params.dropout` is 0 where not given."""
    stem, *stages = _CHANNELS[variant]
    groups = _GROUPS[variant.split("-")[1]]
    units = [
        # The stem's channels are too few to be grouped.
        GroupUnit(channels, out, stride=stride, groups=groups, first_groups=groups if at else 1)
        for at, (channels, out, stride) in enumerate(
            placements(stem, zip(stages, _REPEATS, strict=True))
        )
    ]
    return PlainNetwork(
        units,
        stem=stem,
        pooled_stem=True,
        trunk=stages[-1],
        last=None,
        num_classes=num_classes,
        dropout=0.0 if params.dropout is None else params.dropout,
    )
