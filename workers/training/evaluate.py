"""Validation: every sample once, weighted by count."""

import torch
from torch import nn
from torch.nn.functional import cross_entropy

from workers.data.images import ImageDataset
from workers.data.loader import val_batches
from workers.recipes.loss import wrong_in_top

_BATCH_SIZE = 200


def evaluate(
    network: nn.Module, images: ImageDataset, *, device: torch.device, num_workers: int
) -> dict[str, float]:
    """`loss`, `top1_error`, `top5_error` (0 to 1) and `samples`; the network's mode is kept."""
    training = network.training
    network.eval()
    loss, wrong1, wrong5, samples = 0.0, 0, 0, 0
    with torch.no_grad():
        for inputs, labels in val_batches(images, batch_size=_BATCH_SIZE, num_workers=num_workers):
            labels = labels.to(device)
            logits = network(inputs.to(device))
            loss += cross_entropy(logits, labels, reduction="sum").item()
            wrong1 += wrong_in_top(logits, labels, 1)
            wrong5 += wrong_in_top(logits, labels, 5)
            samples += len(labels)
    network.train(training)
    return {
        "loss": loss / samples,
        "top1_error": wrong1 / samples,
        "top5_error": wrong5 / samples,
        "samples": samples,
    }
