"""ShuffleNetV2+: hard-swish and squeeze-excite."""

from workers.networks.heads import Heads
from workers.recipes.base import Recipe, size
from workers.recipes.params import RecipeParams, TotalIters
from workers.recipes.shufflenet_v2_plus.space import SPACES


class ShuffleNetV2PlusParams(RecipeParams):
    """ShuffleNetV2+: hard-swish and squeeze-excite."""

    total_iters: TotalIters = 450_000


RECIPE = Recipe(
    name="shufflenet_v2_plus",
    title="ShuffleNetV2+: hard-swish and squeeze-excite.",
    source="megvii-model/ShuffleNet-Series, ShuffleNetV2+",
    params=ShuffleNetV2PlusParams,
    variants={
        "small": size(5_137_116, 155_845_008),
        "medium": size(5_679_840, 222_249_984),
        "large": size(6_768_220, 360_050_704),
    },
    network="workers.recipes.shufflenet_v2_plus.network:shufflenet_v2_plus",
    heads=Heads("classifier.0"),
    search_spaces=SPACES,
    recalibrates_batch_norm=True,
)
