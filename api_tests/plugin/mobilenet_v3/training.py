"""What a rank loads: the network, its loss and its optimizer."""

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from torchvision.models import mobilenet_v3_large, mobilenet_v3_small

from mobilenet_v3 import MobileNetV3Params


def network(variant: str, num_classes: int, params: MobileNetV3Params) -> nn.Module:
    make = {"small": mobilenet_v3_small, "large": mobilenet_v3_large}[variant]
    dropout = 0.2 if params.dropout is None else params.dropout
    return make(num_classes=num_classes, dropout=dropout)


def focal_loss(logits: Tensor, labels: Tensor, params: MobileNetV3Params) -> Tensor:
    losses = cross_entropy(logits, labels, reduction="none")
    return ((1 - torch.exp(-losses)) ** params.focus * losses).mean()


def adamw(network: nn.Module, params: MobileNetV3Params) -> torch.optim.Optimizer:
    betas = (params.momentum, 0.999)
    return torch.optim.AdamW(network.parameters(), params.learning_rate, betas)
