"""Which network a file's tensors are of, told by their names and shapes."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import NamedTuple

import torch
from torch import Tensor

from service.contract.recipes import VARIANTS
from workers.checkpoints.upstream import class_count, counts_classes, differences
from workers.exchange.errors import ImportRefused
from workers.recipes import build

_AUXILIARY = "predict_"


class Identity(NamedTuple):
    """A network of the series, and how many classes it tells apart."""

    recipe: str
    variant: str
    num_classes: int


@dataclass(frozen=True)
class Signature:
    """A network without its memory: `tensors` on the meta device, in the published order.

    `aliases` is later name -> first name of tensors with two names; `optimized` has the parameters
    in the order in which the original `get_parameters` hands them to SGD.
    """

    tensors: Mapping[str, Tensor]
    aliases: Mapping[str, str]
    optimized: tuple[str, ...]
    decayed: int


@cache
def signature(recipe: str, variant: str) -> Signature:
    """The network's names and shapes for 1000 classes, which take no memory."""
    with torch.device("meta"):
        network = build(recipe, variant)
    first: dict[int, str] = {}
    aliases = {}
    for name, parameter in network.named_parameters(remove_duplicate=False):
        if first.setdefault(id(parameter), name) != name:
            aliases[name] = first[id(parameter)]
    # Source: get_parameters in the utils.py of each family; sgd() groups in the same way.
    decayed: list[str] = []
    plain: list[str] = []
    for name, parameter in network.named_parameters():
        (decayed if "weight" in name and parameter.dim() > 1 else plain).append(name)
    return Signature(network.state_dict(), aliases, (*decayed, *plain), len(decayed))


def identify(
    tensors: Mapping[str, Tensor], recipe: str | None = None, variant: str | None = None
) -> Identity:
    """The network that these tensors fill, or could: whole auxiliary heads may be absent.

    With `recipe` (and `variant`) given it must be that one. Raises ImportRefused: `other_network`
    if it is another of the series, else `unknown_network` with the nearest and the differences.
    """
    classes = class_count(tensors)
    found = _matches(tensors, classes)
    wanted = [i for i in found if recipe in (None, i.recipe) and variant in (None, i.variant)]
    if wanted:
        return wanted[0]
    asked = " ".join(part for part in (recipe, variant) if part is not None)
    if found:
        is_of = f"{found[0].recipe} {found[0].variant}"
        raise ImportRefused("other_network", f"the file is of {is_of}, not of {asked}")
    nearest, wrong = _nearest(tensors, classes, recipe, variant)
    no_fit = f"the file does not fit {asked}" if asked else "no network of the series fits the file"
    raise ImportRefused("unknown_network", f"{no_fit}; the nearest is {nearest}: {wrong}")


def _matches(tensors: Mapping[str, Tensor], classes: int | None) -> list[Identity]:
    if classes is None:
        return []
    return [
        Identity(recipe, variant, classes)
        for recipe, variants in VARIANTS.items()
        for variant in variants
        if not differences(*_compared(tensors, classes, recipe, variant))
    ]


def _nearest(
    tensors: Mapping[str, Tensor], classes: int | None, recipe: str | None, variant: str | None
) -> tuple[str, str]:
    candidates = [
        (f"{each} {one}", *_compared(tensors, classes or 1000, each, one))
        for each, variants in VARIANTS.items()
        for one in variants
        if recipe in (None, each) and variant in (None, one)
    ]
    name, expected, given = min(candidates, key=lambda candidate: _distance(*candidate[1:]))
    return name, differences(expected, given)


def _distance(expected: Mapping[str, Tensor], given: Mapping[str, Tensor]) -> int:
    both = expected.keys() & given.keys()
    misshapen = sum(expected[name].shape != given[name].shape for name in both)
    return len(expected.keys() ^ given.keys()) + misshapen


def _compared(
    tensors: Mapping[str, Tensor], classes: int, recipe: str, variant: str
) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """What the network has and the file should, and what the file has, under all names."""
    network = signature(recipe, variant)
    heads = {name.split(".")[0] for name in tensors}
    expected = {
        name: tensor.new_empty((classes, *tensor.shape[1:])) if counts_classes(name) else tensor
        for name, tensor in network.tensors.items()
        if not name.startswith(_AUXILIARY) or name.split(".")[0] in heads
    }
    return expected, under_all_names(tensors, network)


def under_all_names(tensors: Mapping[str, Tensor], network: Signature) -> dict[str, Tensor]:
    """The tensors, with those that the file has under one of two names under both."""
    named = dict(tensors)
    for later, first in network.aliases.items():
        for name, twin in ((later, first), (first, later)):
            if name not in named and twin in named:
                named[name] = named[twin]
    return named
