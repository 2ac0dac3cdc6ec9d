"""Backbones searched for detection (arXiv:1903.10979)."""

from workers.networks.heads import Heads
from workers.recipes.base import Recipe, size
from workers.recipes.detnas.space import SPACES
from workers.recipes.params import RecipeParams


class DetNASParams(RecipeParams):
    """Backbones searched for detection (arXiv:1903.10979)."""


RECIPE = Recipe(
    name="detnas",
    title="Backbones searched for detection (arXiv:1903.10979).",
    source="megvii-model/ShuffleNet-Series, DetNAS",
    params=DetNASParams,
    variants={
        "COCO_FPN_1.3G": size(10_426_328, 1_318_374_496),
        "COCO_FPN_3.8G": size(31_444_596, 4_085_874_080),
        "COCO_FPN_300M": size(3_533_112, 321_219_008),
        "COCO_RetinaNet_300M": size(3_725_320, 324_342_464),
        "VOC_FPN_300M": size(3_651_128, 349_524_544),
        "VOC_RetinaNet_300M": size(3_479_480, 360_625_984),
    },
    network="workers.recipes.detnas.network:detnas",
    heads=Heads("fc.fc"),
    search_spaces=SPACES,
)
