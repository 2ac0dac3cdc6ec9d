"""A loop over a torchvision network as its users write it, after torchvision's references."""

import torch
from torch import Tensor, nn
from torchvision.models import shufflenet_v2_x1_0


class ReferenceLoop:
    """ShuffleNetV2 1.0x of torchvision, with its cross entropy, SGD and metrics in each step."""

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._network = shufflenet_v2_x1_0().to(device).train()
        self._criterion = nn.CrossEntropyLoss(label_smoothing=0.1)
        self._optimizer = torch.optim.SGD(
            self._network.parameters(), lr=0.5, momentum=0.9, weight_decay=4e-5
        )
        self.loss, self.top1_error, self.top5_error = 0.0, 0.0, 0.0

    def step(self, images: Tensor, labels: Tensor) -> Tensor:
        """One iteration on a batch of the host; gives the loss, ()."""
        images, labels = images.to(self._device), labels.to(self._device)
        logits: Tensor = self._network(images)
        loss: Tensor = self._criterion(logits, labels)
        self._optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        self._optimizer.step()
        top = logits.topk(5, dim=1).indices == labels[:, None]
        self.loss = loss.item()
        self.top1_error = 1 - top[:, 0].float().mean().item()
        self.top5_error = 1 - top.any(dim=1).float().mean().item()
        return loss.detach()
