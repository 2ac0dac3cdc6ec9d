"""The fitness of candidates: a function of weights, images and paths, and of nothing else."""

import math
from collections.abc import Callable, Iterable, Sequence

import torch
from torch import Tensor

from service.contract.candidates import Fitness
from workers.networks.choices import Parts
from workers.search.path_tree import PathTree
from workers.training.evaluate import averages_of, counted
from workers.training.recalibration import Average, momentum_of_batch

Labelled = Iterable[tuple[Tensor, Tensor]]


def measured(
    parts: Parts,
    paths: Sequence[str],
    recalibration: Iterable[Tensor],
    images: Labelled,
    average: Average,
    goes_on: Callable[[], bool] = lambda: True,
) -> list[Fitness]:
    """The fitness of each path; which others are measured with it changes no bit of it.

    A path's batch norms learn their statistics from the batches of `recalibration` (N, 3, S, S)
    anew, and nothing else of the network is in train mode; then it sees `images`, batches with
    labels (N,). Both are gone through once, without paths, too. The network stays as it is.
    `goes_on` is asked before each unit computes; once it is not so, nothing more does.
    """
    tree = PathTree(parts, paths, goes_on)
    return _measured(tree, paths, recalibration, images, average)


def measured_to_keep(
    parts: Parts,
    path: str,
    recalibration: Iterable[Tensor],
    images: Labelled,
    average: Average,
    goes_on: Callable[[], bool] = lambda: True,
) -> Fitness:
    """The fitness of a path, whose statistics the network has afterwards."""
    tree = PathTree(parts, [path], goes_on)
    (fitness,) = _measured(tree, [path], recalibration, images, average)
    tree.write_statistics()
    return fitness


def _measured(
    tree: PathTree,
    paths: Sequence[str],
    recalibration: Iterable[Tensor],
    images: Labelled,
    average: Average,
) -> list[Fitness]:
    with torch.inference_mode():
        for number, inputs in enumerate(recalibration, start=1):
            tree.learn(momentum_of_batch(number, average))
            for _ in tree.logits(inputs):
                pass
        tree.use_learnt()
        sums: dict[int, Tensor] = {}
        for inputs, labels in images:
            for number, logits in tree.logits(inputs):
                found = counted(logits, labels)
                sums[number] = sums[number] + found if number in sums else found
        return [_fitness(path, sums[number]) for number, path in enumerate(paths)]


def _fitness(path: str, sums: Tensor) -> Fitness:
    averages = averages_of(*sums.tolist())
    loss = averages["loss"]
    return Fitness(
        blocks=path,
        top1_error=averages["top1_error"],
        top5_error=averages["top5_error"],
        loss=loss if math.isfinite(loss) else None,
    )
