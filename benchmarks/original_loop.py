"""The training step of the original scripts, written anew, to measure against.

The same network, loss and optimizer as the recipes', done the way that the `train.py`, `blocks.py`
and `utils.py` of megvii-model/ShuffleNet-Series do them: contiguous tensors in fp32, a shuffle by
reshape and permute, label smoothing from log probabilities and a scattered target, SGD as torch
chooses it, and two numbers read from the device in every step.
"""

import torch
from torch import Tensor, nn

from workers.networks.blocks import ShuffleUnit
from workers.recipes.optimizer import sgd
from workers.recipes.params import RecipeParams
from workers.recipes.table import recipe_named

_DISPLAY_INTERVAL = 20


class OriginalUnit(nn.Module):
    """A shuffle unit whose shuffle copies all channels, in two rows of even and odd ones."""

    def __init__(self, unit: ShuffleUnit) -> None:
        super().__init__()
        self.branch_main, self.branch_proj = unit.branch_main, unit.branch_proj

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) -> (N, C', H/stride, W/stride)."""
        if self.branch_proj is not None:
            return torch.cat((self.branch_proj(x), self.branch_main(x)), 1)
        count, channels, height, width = x.shape
        pairs = x.reshape(count * channels // 2, 2, height * width).permute(1, 0, 2)
        even, odd = pairs.reshape(2, count, channels // 2, height, width)
        return torch.cat((even, self.branch_main(odd)), 1)


def original_network(recipe: str, variant: str, params: RecipeParams) -> nn.Module:
    """A network of 1000 classes with the recipe's weights and modules, and the original's shuffle.

    For the families that are made of shuffle units: OneShot, ShuffleNetV2, V2+ and DetNAS.
    """
    network = recipe_named(recipe).build(variant, 1000, params)
    _replace_units(network)
    return network


class OriginalLoop:
    """The loop's state: network, optimizer, schedule, and the sums that it prints."""

    def __init__(self, network: nn.Module, params: RecipeParams, device: torch.device) -> None:
        self.network = network.to(device).train()
        self._device, self._smoothing = device, params.label_smoothing
        self._optimizer = sgd(self.network, params)
        self._scheduler = torch.optim.lr_scheduler.LambdaLR(
            self._optimizer, lambda step: max(0.0, 1.0 - step / params.total_iters)
        )
        self._steps, self._top1_error, self._top5_error = 0, 0.0, 0.0

    def step(self, images: Tensor, labels: Tensor) -> Tensor:
        """One iteration on a batch of the host; gives the loss, ()."""
        # The schedule moves before the first update: iteration t has lr * (1 - t/T).
        self._scheduler.step()
        labels = labels.to("cpu", torch.int64)
        images, labels = images.to(self._device), labels.to(self._device)
        logits = self.network(images)
        loss = self._loss(logits, labels)
        self._optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        self._optimizer.step()
        self._count(logits, labels, loss)
        return loss.detach()

    def _loss(self, logits: Tensor, labels: Tensor) -> Tensor:
        log_probabilities = logits.log_softmax(1)
        target = torch.zeros_like(log_probabilities).scatter_(1, labels.unsqueeze(1), 1)
        target = (1 - self._smoothing) * target + self._smoothing / logits.shape[1]
        return (-target * log_probabilities).mean(0).sum()

    def _count(self, logits: Tensor, labels: Tensor, loss: Tensor) -> None:
        predicted = logits.topk(5, 1, True, True).indices.t()
        correct = predicted.eq(labels.view(1, -1).expand_as(predicted))
        top1, top5 = (correct[:k].reshape(-1).float().sum(0) / len(labels) for k in (1, 5))
        # Each of the two waits for the device.
        self._top1_error += 1 - top1.item()
        self._top5_error += 1 - top5.item()
        self._steps += 1
        if self._steps % _DISPLAY_INTERVAL == 0:
            loss.item()
            self._top1_error = self._top5_error = 0.0


def _replace_units(module: nn.Module) -> None:
    for name, child in module.named_children():
        if isinstance(child, ShuffleUnit):
            setattr(module, name, OriginalUnit(child))
        else:
            _replace_units(child)
