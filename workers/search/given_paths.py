"""The paths that a job gives to be measured, instead of a search."""

from service.contract.architectures import Architecture
from service.contract.search_params import SearchParams
from service.contract.search_spaces import SearchSpace
from workers.data.errors import InvalidData
from workers.search.evolution import Proposal

ALL_GIVEN = "all candidates given"
"""How a search ends that only had to measure."""


def given_paths(params: SearchParams, space: SearchSpace) -> list[Proposal] | None:
    """Each given path once, in their order; None for a search. Raises InvalidData."""
    if params.candidates is None:
        return None
    paths = list(dict.fromkeys(params.candidates))
    for path in paths:
        problem = space.problem(Architecture.of(path))
        if problem is not None:
            raise InvalidData(f"{path} of candidates is no path: {problem[1]}")
    return [Proposal(path, order, 0, "given") for order, path in enumerate(paths)]
