"""What ranks do first, so that each leaves what its steps have seen and made, bit for bit."""

import hashlib
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from workers.training.path_validation import PathValidation
from workers.training.step import TrainingStep

Digests = dict[str, str]


@dataclass(frozen=True)
class Digested:
    """The sha256 of every weight, and of the momentum of those that have one."""

    weights: Digests
    momentum: Digests


@dataclass
class Watched:
    """What a rank has seen: `states` begins with the one before the first step.

    `inputs` are this rank's share (N, 3, S, S) of each step's batch. `statistics` are the buffers
    and the momentum of every batch norm, before and after each validation.
    """

    states: list[Digested] = field(default_factory=list)
    inputs: list[Tensor] = field(default_factory=list)
    statistics: list[tuple[Digests, Digests]] = field(default_factory=list)


def watch(folder: Path) -> None:
    """Have this rank write what it sees to a file in the folder; `watched` reads it."""
    seen = Watched()
    train, measured = TrainingStep.train, PathValidation.measured

    def watched_train(
        step: TrainingStep, iteration: int, inputs: Tensor, labels: Tensor
    ) -> tuple[Tensor, Tensor]:
        if not seen.states:
            seen.states.append(_digested(step._network, step._optimizer))
        found = train(step, iteration, inputs, labels)
        seen.inputs.append(inputs.clone())
        seen.states.append(_digested(step._network, step._optimizer))
        torch.save(vars(seen), _file(folder, int(os.environ["RANK"])))
        return found

    def watched_measured(paths: PathValidation, evaluate: Callable[[], Any]) -> dict[str, float]:
        network = paths._state.network
        before = _statistics(network)
        found = measured(paths, evaluate)
        seen.statistics.append((before, _statistics(network)))
        torch.save(vars(seen), _file(folder, int(os.environ["RANK"])))
        return found

    TrainingStep.train = watched_train  # type: ignore[method-assign]
    PathValidation.measured = watched_measured  # type: ignore[method-assign]


def watched(folder: Path, ranks: int) -> list[Watched]:
    """What each rank has seen."""
    files = (_file(folder, rank) for rank in range(ranks))
    return [Watched(**torch.load(file, weights_only=False)) for file in files]


def _file(folder: Path, rank: int) -> Path:
    return folder / f"rank-{rank}.pt"


def _digested(network: nn.Module, optimizer: torch.optim.Optimizer) -> Digested:
    weights = {name: weight.detach() for name, weight in network.named_parameters()}
    momenta = {
        name: optimizer.state[weight]["momentum_buffer"]
        for name, weight in network.named_parameters()
        if weight in optimizer.state
    }
    return Digested(_digests(weights), _digests(momenta))


def _statistics(network: nn.Module) -> Digests:
    momenta = {
        f"{name}.momentum": repr(norm.momentum)
        for name, norm in network.named_modules()
        if isinstance(norm, nn.BatchNorm2d)
    }
    return _digests(dict(network.named_buffers())) | momenta


def _digests(tensors: Mapping[str, Tensor]) -> Digests:
    return {
        name: hashlib.sha256(tensor.contiguous().numpy().tobytes()).hexdigest()
        for name, tensor in tensors.items()
    }
