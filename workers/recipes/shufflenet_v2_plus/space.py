"""The spaces of ShuffleNetV2+: OneShot's places in three sizes, and OneShot's blocks. No torch.

In the original program each of the three depthwise convolutions of an xception unit has the unit's
stride. At stride 2 its main branch so divides the sides by 8 and its projection by 2, and the two
cannot be concatenated: no stage begins with one there. Source: `Shuffle_Xception` in the blocks.py
of ShuffleNetV2+ in megvii-model/ShuffleNet-Series.
"""

from service.contract.architectures import Architecture
from service.contract.search_spaces import SearchSpace
from workers.recipes.oneshot.space import BLOCKS

_REPEATS = (4, 4, 8, 4)
_LAST = 1280
_CHANNELS = {
    "small": (36, 104, 208, 416),
    "medium": (48, 128, 256, 512),
    "large": (68, 168, 336, 672),
}

SPACES = tuple(
    SearchSpace(
        name=size,
        only_by_name=True,
        stem=16,
        stages=tuple(zip(channels, _REPEATS, strict=True)),
        last=_LAST,
        hidden=_LAST,
        excited_from=2,
        fixed_widths=True,
        original_begins="012",
        named={size: Architecture.of(BLOCKS).text},
    )
    for size, channels in _CHANNELS.items()
)
