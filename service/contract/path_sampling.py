"""What the parameters of a supernet's training say of each other: whether it can draw its paths."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from service.contract.path_costs import PathCosts
from service.contract.search_spaces import SearchSpace

IMAGE_SIZE, CLASSES = 224, 1000
"""For which the multiply-adds are counted by which a training draws its paths."""
SAMPLING = "sampling"
"""The parameter that says how paths are drawn; a recipe without it draws none."""
BLOCK_TWICE = {"pattern": "0.*0|1.*1|2.*2|3.*3", "description": "name a block twice"}
"""As a JSON Schema, what the choices of a place may not be."""


class SamplingProblem(NamedTuple):
    """A parameter that does not go with the others, and what to change."""

    field: str
    message: str


def sampling_problem(space: SearchSpace, params: Mapping[str, Any]) -> SamplingProblem | None:
    """Why no path of the space can be drawn as the parameters say; None if one can.

    Parameters that are missing, or of another type than expected, are taken as another recipe's.
    """
    least, most = params.get("sampling_macs_from"), params.get("sampling_macs_to")
    if not isinstance(least, int) or not isinstance(most, int):
        return None
    asked = f"sampling_macs_from {least:,} and sampling_macs_to {most:,}"
    if least > most:
        message = f"sampling_macs_from {least:,} is more than sampling_macs_to {most:,}: swap them"
        return SamplingProblem("sampling_macs_from", message)
    choices = _choices_of(params, len(space.places))
    if params.get(SAMPLING) != "macs_uniform" or choices is None:
        return None
    costs = PathCosts.of(space, IMAGE_SIZE, CLASSES)
    cheapest, dearest = costs.least(choices), costs.most(choices)
    span = (
        f"a path of these choices has {cheapest:,} to {dearest:,} multiply-adds, none "
        f"between {asked}"
    )
    cure = 'allow other choices, or set sampling to "uniform"'
    if cheapest > most:
        message = f"{span}: raise sampling_macs_to to {cheapest:,} or more, {cure}"
        return SamplingProblem("sampling_macs_to", message)
    if dearest < least:
        message = f"{span}: lower sampling_macs_from to {dearest:,} or less, {cure}"
        return SamplingProblem("sampling_macs_from", message)
    return None


def _choices_of(params: Mapping[str, Any], places: int) -> tuple[str, ...] | None:
    """The digits of each place; None if they are not that."""
    named = params.get("choices")
    if not isinstance(named, list | tuple):
        return None
    texts = tuple(each for each in named if isinstance(each, str) and each)
    return texts if len(texts) == places else None
