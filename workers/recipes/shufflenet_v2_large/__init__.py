"""ShuffleNetV2.Large: three auxiliary heads, weighted loss."""

from workers.networks.heads import Heads
from workers.recipes.base import Recipe, size
from workers.recipes.params import BatchSize, LearningRate, Preprocessing, RecipeParams, TotalIters


class ShuffleNetV2LargeParams(RecipeParams):
    """ShuffleNetV2.Large: three auxiliary heads, weighted loss."""

    total_iters: TotalIters = 600_000
    batch_size: BatchSize = 256
    learning_rate: LearningRate = 0.25
    preprocessing: Preprocessing = "bgr_normalized"


RECIPE = Recipe(
    name="shufflenet_v2_large",
    title="ShuffleNetV2.Large: three auxiliary heads, weighted loss.",
    source="megvii-model/ShuffleNet-Series, ShuffleNetV2.Large",
    params=ShuffleNetV2LargeParams,
    variants={
        "large": size(140_685_664, 12_780_652_544, without_auxiliary_heads=125_120_936),
    },
    network="workers.recipes.shufflenet_v2_large.network:shufflenet_v2_large",
    heads=Heads(
        "fc",
        {
            "predict_56": "predict_56.fc",
            "predict_28": "predict_28.fc",
            "predict_14": "predict_14.fc",
        },
    ),
)
