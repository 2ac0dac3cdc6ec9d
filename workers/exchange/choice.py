"""Chooses the weights of a file that an import takes, and checks that they can be stored."""

from collections.abc import Mapping
from pathlib import Path

from torch import Tensor

from service.contract.exchange import ImportRequest
from workers.checkpoints.pickles import torch_lines
from workers.checkpoints.state_dicts import StateDict, chosen, notes_on
from workers.checkpoints.tensors import storable
from workers.checkpoints.upstream import UnreadableWeights, require_fractions
from workers.checkpoints.weight_files import WeightFile
from workers.exchange.errors import ImportRefused
from workers.exchange.identify import fits, identify, shortest_distance, signature


def choose(file: WeightFile, request: ImportRequest) -> tuple[StateDict, list[str]]:
    """The weights that a network fits, else the nearest to one, whose differences are named."""
    candidates = file.candidates
    fitting = [s for s in candidates if fits(s.tensors, request.recipe, request.variant)]
    fitting = fitting or [s for s in candidates if fits(s.tensors)]
    if not fitting:
        return min(candidates, key=lambda s: shortest_distance(s.tensors)), []
    try:
        choice = chosen(file.path.name, fitting)
    except UnreadableWeights as error:
        raise ImportRefused(error.code, str(error)) from error
    identity = identify(choice.tensors)
    names = signature(identity.recipe, identity.variant).tensors.keys()
    return choice, notes_on(choice, fitting, names)


def check_tensors(
    path: Path,
    expected: Mapping[str, Tensor],
    model: Mapping[str, Tensor],
    momentum: Mapping[str, Tensor],
) -> None:
    """Raise ImportRefused for types that cannot be stored or are not those of the network.

    So is more than the file has: a tensor of stride 0 has any size in a few bytes, and would be
    written out. `expected` are the network's own tensors.
    """
    for name, tensor in model.items():
        if not storable(tensor):
            kind = f"{tensor.dtype} ({tensor.layout})"
            raise ImportRefused(
                "not_weights", f"{path.name}: {name} has the unsupported type {kind}"
            )
    try:
        require_fractions(expected, model, path.name)
    except UnreadableWeights as error:
        raise ImportRefused(error.code, str(error)) from error
    stored = [t for t in (*model.values(), *momentum.values()) if t.dim() > 0]
    size, size_bytes = path.stat().st_size, sum(tensor.nbytes for tensor in stored)
    if size_bytes > size:
        lines = torch_lines(path, "{n: t.clone() for n, t in c.items()}")
        raise ImportRefused(
            "too_large",
            f"{path.name} has tensors of {size_bytes} bytes in a file of {size}: some repeat a "
            f"part of their values; {lines}",
        )
