"""Identifies the network of a file by the names and shapes of its tensors."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import structlog
import torch
from torch import Tensor

from workers.checkpoints.tensors import under_all_names
from workers.checkpoints.upstream import adapted, class_count, differences, distance
from workers.exchange.architectures import architectures_in
from workers.exchange.errors import ImportRefused
from workers.networks.heads import Heads
from workers.recipes import build
from workers.recipes.table import BUILTIN, offers, recipe_named

_BUILTIN = frozenset(recipe.name for recipe in BUILTIN)
_MOST_SIGNATURES = 512
"""More than there are named networks: of the architectures in files the last are remembered."""
_log = structlog.get_logger()


class Identity(NamedTuple):
    """A network that this worker has, and its number of classes."""

    recipe: str
    variant: str
    num_classes: int


@dataclass(frozen=True)
class Signature:
    """A network's names and shapes: `tensors` are on the meta device, in the published order.

    `aliases` maps the later name to the first name of tensors with two names. `parameters`
    are the names of the parameters in the order in which the original `get_parameters` passes them
    to SGD; the first `decay_count` of them have weight decay.
    """

    heads: Heads
    tensors: Mapping[str, Tensor]
    aliases: Mapping[str, str]
    parameters: tuple[str, ...]
    decay_count: int


@lru_cache(maxsize=_MOST_SIGNATURES)
def signature(recipe: str, variant: str) -> Signature:
    """The names and shapes of a network with 1000 classes; needs no memory for weights."""
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
    heads = recipe_named(recipe).heads
    return Signature(heads, network.state_dict(), aliases, (*decayed, *plain), len(decayed))


def identify(
    tensors: Mapping[str, Tensor], recipe: str | None = None, variant: str | None = None
) -> Identity:
    """The network that these tensors fit; whole auxiliary heads may be missing.

    If `recipe` (and `variant`) are given, it must be that network. Raises ImportRefused:
    `other_network` if the tensors fit another one, else `unknown_network` with the nearest network
    and the differences.
    """
    matches = _matches(tensors)
    fitting = [i for i in matches if recipe in (None, i.recipe) and variant in (None, i.variant)]
    if fitting:
        return fitting[0]
    requested = " ".join(part for part in (recipe, variant) if part is not None)
    if matches:
        is_of = f"{matches[0].recipe} {matches[0].variant}"
        raise ImportRefused("other_network", f"the file has weights of {is_of}, not of {requested}")
    nearest, wrong = _nearest(tensors, recipe, variant)
    no_fit = (
        f"the file does not fit {requested}"
        if requested
        else "no network of the series fits the file"
    )
    raise ImportRefused("unknown_network", f"{no_fit}; the nearest is {nearest}: {wrong}")


def fits(
    tensors: Mapping[str, Tensor], recipe: str | None = None, variant: str | None = None
) -> bool:
    """Whether `identify` gives a network for these tensors."""
    return any(
        recipe in (None, match.recipe) and variant in (None, match.variant)
        for match in _matches(tensors)
    )


def shortest_distance(tensors: Mapping[str, Tensor]) -> int:
    """How many names and shapes the nearest network has otherwise."""
    return min(_distance_to(tensors, signature(*network)) for network in _candidates(tensors))


def compared(
    tensors: Mapping[str, Tensor], classes: int, network: Signature
) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """The tensors that the file should have, and those that it has under all their names."""
    heads = network.heads
    stored = {heads.auxiliary_head_of(name) for name in tensors} | {None}
    expected = {
        name: tensor.new_empty((classes, *tensor.shape[1:]))
        if heads.counts_classes(name)
        else tensor
        for name, tensor in network.tensors.items()
        if heads.auxiliary_head_of(name) in stored
    }
    return expected, adapted(expected, under_all_names(tensors, network.aliases))


def _networks() -> Iterator[tuple[str, str]]:
    """Recipe and variant of every network that can be built; an installed one may fail to be."""
    for name, offer in offers().items():
        for variant in offer.recipe.variants:
            try:
                signature(name, variant)
            except Exception as error:
                if name in _BUILTIN:
                    raise
                _log.warning("network_not_built", recipe=name, variant=variant, error=str(error))
                continue
            yield name, variant


def _candidates(tensors: Mapping[str, Tensor]) -> Iterator[tuple[str, str]]:
    """Every named network, and of each space the one that the shapes of units tell."""
    yield from _networks()
    for name, offer in offers().items():
        for variant in architectures_in(tensors, offer.recipe.spaces):
            if variant not in offer.recipe.variants:
                yield name, variant


def _matches(tensors: Mapping[str, Tensor]) -> list[Identity]:
    matches = []
    for recipe, variant in _candidates(tensors):
        network = signature(recipe, variant)
        classes = class_count(tensors, network.heads)
        if classes is not None and not differences(*compared(tensors, classes, network)):
            matches.append(Identity(recipe, variant, classes))
    return matches


def _nearest(
    tensors: Mapping[str, Tensor], recipe: str | None, variant: str | None
) -> tuple[str, str]:
    networks = [
        (f"{each} {one}", signature(each, one))
        for each, one in _compared_with(tensors, recipe, variant)
    ]
    if not networks:
        raise ImportRefused("unknown_network", f"this worker has no network {recipe} {variant}")
    candidates = [
        (name, *compared(tensors, class_count(tensors, network.heads) or 1000, network))
        for name, network in networks
    ]
    name, expected, given = min(candidates, key=lambda candidate: distance(*candidate[1:]))
    return name, differences(expected, given)


def _compared_with(
    tensors: Mapping[str, Tensor], recipe: str | None, variant: str | None
) -> Iterator[tuple[str, str]]:
    """The networks among which the nearest is looked for: an architecture that is named, too."""
    for each, one in _candidates(tensors):
        if recipe in (None, each) and variant in (None, one):
            yield each, one
    offer = offers().get(recipe) if recipe is not None else None
    if offer is None or recipe is None or variant is None or variant in offer.recipe.variants:
        return
    if offer.recipe.has_variant(variant):
        yield recipe, variant


def _distance_to(tensors: Mapping[str, Tensor], network: Signature) -> int:
    classes = class_count(tensors, network.heads) or 1000
    return distance(*compared(tensors, classes, network))
