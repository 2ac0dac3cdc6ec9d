"""Validation: every sample once, weighted by count, summed over the ranks."""

from collections.abc import Callable

import torch
from torch import nn
from torch.nn.functional import cross_entropy

from workers.data.images import ImageDataset
from workers.data.loader import val_batches
from workers.recipes.loss import wrong_in_top
from workers.training.distributed import Ranks
from workers.training.outcome import Stopped

_BATCH_SIZE = 200


def evaluate(
    network: nn.Module,
    images: ImageDataset,
    ranks: Ranks,
    *,
    num_workers: int,
    stop_asked: Callable[[], bool] = lambda: False,
) -> dict[str, float]:
    """`loss`, `top1_error`, `top5_error` (0 to 1) and `samples`; the network's mode is kept.

    Raises Stopped between two batches if `stop_asked`.
    """
    training = network.training
    network.eval()
    ranks.share_buffers(network)
    sums = torch.zeros(4, dtype=torch.float64, device=ranks.device)
    batches = val_batches(
        images,
        batch_size=_BATCH_SIZE,
        num_workers=num_workers,
        rank=ranks.rank,
        world_size=ranks.world_size,
    )
    with torch.no_grad():
        for inputs, labels in batches:
            if stop_asked():
                raise Stopped("stopped while evaluating, as asked")
            labels = labels.to(ranks.device)
            logits = network(inputs.to(ranks.device))
            sums[0] += cross_entropy(logits, labels, reduction="sum")
            sums[1] += wrong_in_top(logits, labels, 1)
            sums[2] += wrong_in_top(logits, labels, 5)
            sums[3] += len(labels)
    network.train(training)
    loss, wrong1, wrong5, samples = ranks.total(sums).tolist()
    return {
        "loss": loss / samples,
        "top1_error": wrong1 / samples,
        "top5_error": wrong5 / samples,
        "samples": int(samples),
    }
