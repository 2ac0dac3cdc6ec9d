"""ShuffleNetV2+: OneShot's blocks with hard-swish and squeeze-excite.

Source: ShuffleNetV2+ of megvii-model/ShuffleNet-Series; hard-swish is of arXiv:1905.02244.
"""

from collections.abc import Sequence

from torch import Tensor, nn

from service.contract.architectures import PUBLISHED_WIDTH
from service.contract.search_spaces import SearchSpace
from service.contract.space_table import PlacedArchitecture, SpaceTable
from workers.networks.blocks import (
    SqueezeExcite,
    conv_bn_act,
    initialize,
    relu,
    searched_unit,
)
from workers.recipes.params import RecipeParams
from workers.recipes.shufflenet_v2_plus.space import SPACES


class _Plus(nn.Module):
    """Images (N, 3, H, W) -> logits (N, num_classes); H and W are multiples of 32."""

    def __init__(
        self, space: SearchSpace, units: Sequence[nn.Module], *, num_classes: int, dropout: float
    ) -> None:
        super().__init__()
        assert space.hidden is not None
        trunk, last = space.stages[-1][0], space.last
        self.first_conv = nn.Sequential(
            *conv_bn_act(3, space.stem, 3, stride=2, activation=nn.Hardswish)
        )
        self.features = nn.Sequential(*units)
        self.conv_last = nn.Sequential(*conv_bn_act(trunk, last, 1, activation=nn.Hardswish))
        self.globalpool = nn.AdaptiveAvgPool2d(1)
        self.LastSE = SqueezeExcite(last)
        self.fc = nn.Sequential(nn.Linear(last, space.hidden, bias=False), nn.Hardswish())
        self.dropout = nn.Dropout(dropout)
        self.classifier = nn.Sequential(nn.Linear(space.hidden, num_classes, bias=False))
        initialize(self)

    def forward(self, x: Tensor) -> Tensor:
        """Logits, not softmaxed."""
        x = self.globalpool(self.conv_last(self.features(self.first_conv(x))))
        x = self.fc(self.LastSE(x).flatten(1))
        logits: Tensor = self.classifier(self.dropout(x))
        return logits


def shufflenet_v2_plus(variant: str, num_classes: int, params: RecipeParams) -> nn.Module:
    """The network of an architecture in one of the sizes.

    `params.dropout` before the classifier is 0.2 where not given.
    """
    found = SpaceTable(SPACES).find(variant)
    assert found is not None
    return _Plus(
        found.space,
        _units(found),
        num_classes=num_classes,
        dropout=0.2 if params.dropout is None else params.dropout,
    )


def _units(found: PlacedArchitecture) -> list[nn.Module]:
    space, architecture = found
    units: list[nn.Module] = []
    for place, is_excited, block in zip(
        space.places, space.excited, architecture.blocks, strict=True
    ):
        unit = searched_unit(
            int(block),
            place.channels_in,
            place.channels_out,
            place.middle(int(PUBLISHED_WIDTH)),
            stride=place.stride,
            # Of the first stage.
            activation=relu if place.channels_out == space.stages[0][0] else nn.Hardswish,
        )
        if is_excited:
            unit.branch_main.append(SqueezeExcite(place.new))
        units.append(unit)
    return units
