"""Validation: every sample once, weighted by count, summed over the ranks."""

import math
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from workers.data.batch_transform import transform_of
from workers.data.images import ImageDataset
from workers.data.loader import val_batches
from workers.recipes.loss import ranks_of_labels
from workers.training.attempt_results import Stopped
from workers.training.device_inputs import is_pinned_for, to_inputs_on
from workers.training.distributed import Ranks
from workers.training.eval_batches import EvalForward
from workers.training.execution import ORIGINAL, Execution, autocast, format_of
from workers.training.non_finite import require_finite_loss


def evaluate(
    network: nn.Module,
    images: ImageDataset,
    ranks: Ranks,
    *,
    batch_size: int,
    num_workers: int,
    stop_asked: Callable[[], bool],
    pulse: Callable[[], None],
    execution: Execution = ORIGINAL,
    on_batch: Callable[[Tensor, Tensor], None] = lambda *_: None,
    waiting: Callable[[], AbstractContextManager[None]] = nullcontext,
) -> dict[str, float]:
    """`loss`, `top1_error`, `top5_error` (0 to 1) and `samples`; the network's mode is restored.

    Batches have `batch_size` images; where so many do not fit into memory, fewer are computed at
    once. That changes the loss by its rounding alone, about 1e-6 of it. The network computes in
    precision and memory format of `execution`, as its weights are laid out. `waiting` is around
    each wait for a batch. `pulse` is called for each batch, `on_batch` with the logits (N, C),
    float32, and labels (N,) of each batch of this rank's share, in order, both on its device.
    Raises Stopped between two batches, at every rank, once `stop_asked` is true at any, and
    NonFiniteLoss at the end.
    """
    ranks.share_buffers(network)
    batches = val_batches(
        images,
        batch_size=batch_size,
        num_workers=num_workers,
        pinned=is_pinned_for(ranks.device),
        rank=ranks.rank,
        world_size=ranks.world_size,
    )
    to_inputs = to_inputs_on(ranks.device, transform_of(images))
    forward = EvalForward(network)
    # The shares may differ by a batch: the ranks agree as often as the longest has batches.
    rounds = math.ceil(len(images) / (batch_size * ranks.world_size))
    with _eval_mode(network), torch.inference_mode():
        sums = torch.zeros(4, dtype=torch.float64, device=ranks.device)
        for _ in range(rounds):
            with waiting():
                batch = next(batches, None)
                stops = ranks.any(stop_asked())
            if stops:
                raise Stopped("stopped in a validation, as asked")
            pulse()
            if batch is not None:
                inputs, labels = to_inputs(batch, format_of(execution))
                with autocast(ranks.device, execution):
                    logits = forward(inputs)
                logits = logits.float()
                on_batch(logits, labels)
                sums += counted(logits, labels)
        averages = averages_of(*ranks.total(sums).tolist())
    require_finite_loss(averages["loss"], f"over {averages['samples']} validation images")
    return averages


@contextmanager
def _eval_mode(network: nn.Module) -> Iterator[None]:
    training = network.training
    network.eval()
    try:
        yield
    finally:
        network.train(training)


def counted(logits: Tensor, labels: Tensor) -> Tensor:
    """Sums over a batch of logits (N, C): of the loss, the wrong in top 1 and 5, and the images."""
    positions = ranks_of_labels(logits, labels)
    counts = (
        cross_entropy(logits, labels, reduction="sum"),
        (positions >= 1).sum(),
        (positions >= 5).sum(),
        labels.new_tensor(len(labels)),
    )
    return torch.stack([count.double() for count in counts])


def averages_of(loss: float, wrong1: float, wrong5: float, samples: float) -> dict[str, float]:
    """The metrics of a whole validation, from the totals of `counted`."""
    return {
        "loss": loss / samples,
        "top1_error": wrong1 / samples,
        "top5_error": wrong5 / samples,
        "samples": int(samples),
    }
