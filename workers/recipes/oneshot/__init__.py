"""ShuffleNetV2 found by single path one-shot search (arXiv:1904.00420)."""

from workers.networks.heads import Heads
from workers.recipes.base import OriginalFiles, Recipe, size
from workers.recipes.oneshot.space import SPACE
from workers.recipes.params import RecipeParams


class OneShotParams(RecipeParams):
    """ShuffleNetV2 found by single path one-shot search (arXiv:1904.00420)."""


RECIPE = Recipe(
    name="oneshot",
    title="ShuffleNetV2 found by single path one-shot search (arXiv:1904.00420).",
    source="megvii-model/ShuffleNet-Series, OneShot",
    params=OneShotParams,
    variants={
        "searched": size(3_432_579, 327_857_920),
    },
    network="workers.recipes.oneshot.network:oneshot",
    heads=Heads("classifier.0"),
    search_space=SPACE,
    recalibrates_batch_norm=True,
    # Its --eval-resume takes final weights bare.
    original=OriginalFiles(bare_final_weights=True),
)
