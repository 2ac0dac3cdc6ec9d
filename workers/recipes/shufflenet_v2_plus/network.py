"""ShuffleNetV2+: OneShot's blocks with hard-swish and squeeze-excite.

Source: ShuffleNetV2+ of megvii-model/ShuffleNet-Series; hard-swish is of arXiv:1905.02244.
"""

from collections.abc import Sequence

from torch import Tensor, nn

from service.contract.search_spaces import placements
from workers.networks.blocks import (
    SqueezeExcite,
    conv_bn_act,
    initialize,
    relu,
    searched_unit,
)
from workers.recipes.oneshot.space import BLOCKS
from workers.recipes.params import RecipeParams

_STEM, _LAST = 16, 1280
_REPEATS = (4, 4, 8, 4)
_CHANNELS = {
    "small": (36, 104, 208, 416),
    "medium": (48, 128, 256, 512),
    "large": (68, 168, 336, 672),
}
# By stage.
_ACTIVATIONS = (relu, nn.Hardswish, nn.Hardswish, nn.Hardswish)
_EXCITED = (False, False, True, True)


class _Plus(nn.Module):
    """Images (N, 3, H, W) -> logits (N, num_classes); H and W are multiples of 32."""

    def __init__(
        self, units: Sequence[nn.Module], *, trunk: int, num_classes: int, dropout: float
    ) -> None:
        super().__init__()
        self.first_conv = nn.Sequential(
            *conv_bn_act(3, _STEM, 3, stride=2, activation=nn.Hardswish)
        )
        self.features = nn.Sequential(*units)
        self.conv_last = nn.Sequential(*conv_bn_act(trunk, _LAST, 1, activation=nn.Hardswish))
        self.globalpool = nn.AdaptiveAvgPool2d(1)
        self.LastSE = SqueezeExcite(_LAST)
        self.fc = nn.Sequential(nn.Linear(_LAST, _LAST, bias=False), nn.Hardswish())
        self.dropout = nn.Dropout(dropout)
        self.classifier = nn.Sequential(nn.Linear(_LAST, num_classes, bias=False))
        initialize(self)

    def forward(self, x: Tensor) -> Tensor:
        """Logits, not softmaxed."""
        x = self.globalpool(self.conv_last(self.features(self.first_conv(x))))
        x = self.fc(self.LastSE(x).flatten(1))
        logits: Tensor = self.classifier(self.dropout(x))
        return logits


def shufflenet_v2_plus(variant: str, num_classes: int, params: RecipeParams) -> nn.Module:
    """The network of one size; `params.dropout` before the classifier is 0.2 where not given."""
    stages = _CHANNELS[variant]
    return _Plus(
        _units(stages),
        trunk=stages[-1],
        num_classes=num_classes,
        dropout=0.2 if params.dropout is None else params.dropout,
    )


def _units(stages: Sequence[int]) -> list[nn.Module]:
    units: list[nn.Module] = []
    places = placements(_STEM, zip(stages, _REPEATS, strict=True))
    for (channels, out, stride), block in zip(places, BLOCKS, strict=True):
        stage = stages.index(out)
        unit = searched_unit(
            int(block), channels, out, out // 2, stride=stride, activation=_ACTIVATIONS[stage]
        )
        if _EXCITED[stage]:
            unit.branch_main.append(SqueezeExcite(out - channels if stride == 2 else out // 2))
        units.append(unit)
    return units
