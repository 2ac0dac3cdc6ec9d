"""ShuffleNetV2.ExLarge: wider units with one more depthwise convolution, and the heads of Large."""

from torch import Tensor, nn

from workers.networks.blocks import initialize
from workers.networks.residual import (
    AuxiliaryHead,
    ConvBN,
    DeepNetwork,
    NamedLinear,
    SqueezeExciteUnit,
    concatenate,
    split_and_project,
)
from workers.recipes.params import RecipeParams

_GROUPS = 16
# Channels, units, stride of the first.
_STAGES = ((320, 8, 1), (640, 16, 2), (1280, 36, 2), (2560, 10, 2))


class _Unit(SqueezeExciteUnit):
    def __init__(self, channels_in: int, channels: int, *, first: bool, stride: int) -> None:
        half = channels // 2
        main = (
            ConvBN(channels_in, channels, 1),
            ConvBN(channels, channels, 3, stride=stride, groups=_GROUPS),
            ConvBN(channels, channels, 3, groups=channels, relu=False),
            ConvBN(channels, half, 1, relu=False),
        )
        super().__init__(main, NamedLinear(half, half // 4), NamedLinear(half // 4, half))
        self.relu = nn.ReLU(inplace=True)
        self.proj = ConvBN(channels_in, half, 3, stride=stride) if first else None
        # The published order of names: proj, then the rest.
        for name in ("branch_main", "se_globalpool", "se_fc1", "se_fc2", "se_block"):
            self._modules[name] = self._modules.pop(name)

    def forward(self, x: Tensor) -> Tensor:
        if self.proj is not None:
            return concatenate(self.proj(x), self.excite(x))
        passed, transformed = split_and_project(x, None)
        return concatenate(passed, self.relu(transformed + self.excite(transformed)))


class _ExLarge(DeepNetwork):
    def __init__(self, num_classes: int, dropout: float) -> None:
        super().__init__()
        self.first_conv = nn.Sequential(
            ConvBN(3, 64, 3, stride=2), ConvBN(64, 128, 3), ConvBN(128, 256, 3)
        )
        self.maxpool = nn.MaxPool2d(3, 2, 1)
        self.features = nn.ModuleList()
        channels_in = 256
        for channels, repeats, stride in _STAGES:
            units: list[nn.Module] = [_Unit(channels_in, channels, first=True, stride=stride)]
            for _ in range(repeats - 1):
                units.append(_Unit(channels // 2, channels, first=False, stride=1))
            units.append(ConvBN(channels, channels, 1))
            self.features.append(nn.Sequential(*units))
            channels_in = channels
        self.predict_56 = AuxiliaryHead(320, 256, num_classes)
        self.predict_28 = AuxiliaryHead(640, 512, num_classes)
        self.predict_14 = AuxiliaryHead(1280, 1024, num_classes)
        self.conv_last = nn.Identity()
        self.globalpool = nn.AdaptiveAvgPool2d(1)
        self.dropout = nn.Dropout(dropout)
        self.fc = NamedLinear(channels_in, num_classes)
        initialize(self)


def shufflenet_v2_exlarge(variant: str, num_classes: int, params: RecipeParams) -> nn.Module:
    """The network with its heads; `params.dropout` is 0.2 where not given."""
    assert variant == "exlarge"
    return _ExLarge(num_classes, 0.2 if params.dropout is None else params.dropout)
