"""ShuffleNetV1 (arXiv:1707.01083)."""

from workers.networks.heads import Heads
from workers.recipes.base import Recipe, size
from workers.recipes.params import RecipeParams


class ShuffleNetV1Params(RecipeParams):
    """ShuffleNetV1 (arXiv:1707.01083)."""


RECIPE = Recipe(
    name="shufflenet_v1",
    title="ShuffleNetV1 (arXiv:1707.01083).",
    source="megvii-model/ShuffleNet-Series, ShuffleNetV1",
    params=ShuffleNetV1Params,
    variants={
        "0.5x-g3": size(717_324, 37_589_856),
        "0.5x-g8": size(1_010_448, 40_469_760),
        "1.0x-g3": size(1_864_728, 137_460_672),
        "1.0x-g8": size(2_433_768, 138_365_952),
        "1.5x-g3": size(3_441_168, 292_443_552),
        "1.5x-g8": size(4_268_952, 290_188_800),
        "2.0x-g3": size(5_449_776, 524_045_184),
        "2.0x-g8": size(6_521_232, 521_942_016),
    },
    network="workers.recipes.shufflenet_v1.network:shufflenet_v1",
    heads=Heads("classifier.0"),
    recalibrates_batch_norm=True,
)
