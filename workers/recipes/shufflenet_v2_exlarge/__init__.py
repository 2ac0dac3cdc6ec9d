"""ShuffleNetV2.ExLarge: the heads of Large, a wider network."""

from workers.networks.heads import Heads
from workers.recipes.base import Recipe, size
from workers.recipes.shufflenet_v2_large import RECIPE as LARGE
from workers.recipes.shufflenet_v2_large import ShuffleNetV2LargeParams


class ShuffleNetV2ExLargeParams(ShuffleNetV2LargeParams):
    """ShuffleNetV2.ExLarge: the heads of Large, a wider network."""


RECIPE = Recipe(
    name="shufflenet_v2_exlarge",
    title="ShuffleNetV2.ExLarge: the heads of Large, a wider network.",
    source="megvii-model/ShuffleNet-Series, ShuffleNetV2.ExLarge",
    params=ShuffleNetV2ExLargeParams,
    variants={
        "exlarge": size(271_283_296, 46_174_794_752, without_auxiliary_heads=255_374_504),
    },
    network="workers.recipes.shufflenet_v2_exlarge.network:shufflenet_v2_exlarge",
    heads=Heads("fc.fc", LARGE.heads.auxiliary),
)
