"""ShuffleNetV2.Large: residual units with squeeze-excite, and three auxiliary heads."""

from torch import Tensor, nn

from workers.networks.blocks import initialize
from workers.networks.residual import (
    AuxiliaryHead,
    ConvBN,
    DeepNetwork,
    SqueezeExciteUnit,
    concatenate,
    split_and_project,
)
from workers.recipes.params import RecipeParams

_EPS = 1e-9
_GROUPS = 8
_LAST = 1280
# Prefix of the units' names, channels of a half, units, stride of the first.
_STAGES = ((2, 128, 10, 1), (3, 256, 10, 2), (4, 512, 23, 2), (5, 1024, 10, 2))


class _Unit(SqueezeExciteUnit):
    def __init__(self, channels_in: int, channels: int, *, first: bool, stride: int) -> None:
        main = (
            ConvBN(channels_in, channels, 1, eps=_EPS),
            ConvBN(channels, channels, 3, stride=stride, groups=_GROUPS, eps=_EPS),
            ConvBN(channels, channels, 1, relu=False, eps=_EPS),
        )
        super().__init__(main, nn.Linear(channels, channels), nn.Linear(channels, channels))
        self.relu = nn.ReLU(inplace=True)
        both = 2 * channels
        self.down = ConvBN(both, both, 1, eps=_EPS) if stride == 2 else None
        self.proj = (
            ConvBN(channels_in, channels, 3, stride=stride, relu=False, eps=_EPS) if first else None
        )
        # The published order of names: down, proj, then the rest.
        for name in ("branch_main", "se_globalpool", "se_fc1", "se_fc2", "se_block"):
            self._modules[name] = self._modules.pop(name)

    def forward(self, x: Tensor) -> Tensor:
        passed, transformed = split_and_project(x, self.proj)
        out = self.excite(transformed)
        if self.proj is None:
            out = transformed + out
        x = self.relu(concatenate(passed, out))
        return x if self.down is None else self.down(x)


class _Large(DeepNetwork):
    def __init__(self, num_classes: int, dropout: float) -> None:
        super().__init__()
        self.first_conv = nn.Sequential(
            ConvBN(3, 64, 3, stride=2, eps=_EPS),
            ConvBN(64, 64, 3, eps=_EPS),
            ConvBN(64, 128, 3, eps=_EPS),
        )
        self.maxpool = nn.MaxPool2d(3, 2, 1)
        self.features = nn.ModuleList()
        channels_in = 64
        for prefix, channels, repeats, stride in _STAGES:
            stage = nn.Sequential()
            for repeat in range(repeats):
                first = repeat == 0
                unit = _Unit(channels_in, channels, first=first, stride=stride if first else 1)
                stage.add_module(f"{prefix}{chr(ord('a') + repeat)}", unit)
                channels_in = channels
            self.features.append(stage)
        self.predict_56 = AuxiliaryHead(256, 256, num_classes, _EPS)
        self.predict_28 = AuxiliaryHead(512, 512, num_classes, _EPS)
        self.predict_14 = AuxiliaryHead(1024, 1024, num_classes, _EPS)
        self.conv_last = ConvBN(2 * channels_in, _LAST, 3, eps=_EPS)
        self.globalpool = nn.AdaptiveAvgPool2d(1)
        self.dropout = nn.Dropout(dropout)
        self.fc = nn.Linear(_LAST, num_classes)
        initialize(self)


def shufflenet_v2_large(variant: str, num_classes: int, params: RecipeParams) -> nn.Module:
    """The network with its heads; `params.dropout` is 0.2 where not given."""
    assert variant == "large"
    return _Large(num_classes, 0.2 if params.dropout is None else params.dropout)
