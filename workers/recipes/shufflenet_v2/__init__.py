"""ShuffleNetV2 (arXiv:1807.11164)."""

from workers.networks.heads import Heads
from workers.recipes.base import Recipe, size
from workers.recipes.params import RecipeParams


class ShuffleNetV2Params(RecipeParams):
    """ShuffleNetV2 (arXiv:1807.11164)."""


RECIPE = Recipe(
    name="shufflenet_v2",
    title="ShuffleNetV2 (arXiv:1807.11164).",
    source="megvii-model/ShuffleNet-Series, ShuffleNetV2",
    params=ShuffleNetV2Params,
    variants={
        "0.5x": size(1_365_792, 40_476_448),
        "1.0x": size(2_278_760, 145_814_296),
        "1.5x": size(3_506_720, 298_970_656),
        "2.0x": size(7_402_600, 590_783_000),
    },
    network="workers.recipes.shufflenet_v2.network:shufflenet_v2",
    heads=Heads("classifier.0"),
    recalibrates_batch_norm=True,
)
