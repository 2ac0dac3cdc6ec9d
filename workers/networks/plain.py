"""The network that OneShot, ShuffleNetV1 and V2 share: stem, units, convolution, classifier."""

from collections.abc import Sequence

from torch import Tensor, nn

from workers.networks.blocks import conv_bn_act, initialize


class PlainNetwork(nn.Module):
    """Images (N, 3, H, W) -> logits (N, num_classes); H and W are multiples of 32.

    `stem`, `trunk` and `last` are numbers of channels: after the first convolution, after the
    units, and after the last convolution, which is left out if `last` is None. `pooled_stem` adds a
    max pooling after the first convolution.
    """

    def __init__(
        self,
        units: Sequence[nn.Module],
        *,
        stem: int,
        pooled_stem: bool,
        trunk: int,
        last: int | None,
        num_classes: int,
        dropout: float,
    ) -> None:
        super().__init__()
        self.first_conv = nn.Sequential(*conv_bn_act(3, stem, 3, stride=2))
        self.maxpool = nn.MaxPool2d(3, 2, 1) if pooled_stem else nn.Identity()
        self.features = nn.Sequential(*units)
        self.conv_last = nn.Sequential(*(conv_bn_act(trunk, last, 1) if last is not None else ()))
        self.globalpool = nn.AdaptiveAvgPool2d(1)
        self.dropout = nn.Dropout(dropout)
        self.classifier = nn.Sequential(nn.Linear(last or trunk, num_classes, bias=False))
        initialize(self)

    def forward(self, x: Tensor) -> Tensor:
        """Images (N, 3, H, W) -> logits (N, num_classes)."""
        x = self.maxpool(self.first_conv(x))
        x = self.globalpool(self.conv_last(self.features(x)))
        logits: Tensor = self.classifier(self.dropout(x).flatten(1))
        return logits
