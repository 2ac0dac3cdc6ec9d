"""Which path an iteration trains: from seed and iteration alone, so that every rank draws it.

Source: the function `train` of Supernet/train.py.
"""

from functools import cache

import numpy as np

from service.contract.architecture_costs import cost_of, unit_cost
from service.contract.architectures import PUBLISHED_WIDTH, Architecture
from workers.recipes.oneshot.space import SPACE
from workers.recipes.params import RecipeParams
from workers.recipes.supernet import SupernetParams

RANGES = 7
_TRIES = 500
"""After so many draws that lie outside of a range, the next path is taken whatever it costs."""
_IMAGE_SIZE, _CLASSES = 224, 1000
_OF_VALIDATION = 0
"""The iteration that no training has."""


def path_of_step(params: RecipeParams, step: int) -> str:
    """The path of iteration 1 … total_iters: a digit for each place."""
    return draw(_generator(params, step), _own(params))


def paths_of_validation(params: RecipeParams) -> tuple[str, ...]:
    """The paths that every validation measures."""
    own, generator = _own(params), _generator(params, _OF_VALIDATION)
    return tuple(draw(generator, own) for _ in range(own.validated_paths))


def recalibration_batches(params: RecipeParams) -> int:
    """How many training batches the statistics of a validated path are learnt from."""
    return _own(params).validation_recalibration_batches


def draw(generator: np.random.RandomState, params: SupernetParams) -> str:
    """The next path, as the original draws it from numpy's generator."""
    if params.sampling == "uniform":
        return _any_path(generator, params)
    number = int(generator.randint(RANGES))
    span = params.sampling_macs_to - params.sampling_macs_from
    least = params.sampling_macs_from + span * number / RANGES
    most = params.sampling_macs_from + span * (number + 1) / RANGES
    for _ in range(_TRIES):
        path = _any_path(generator, params)
        if least <= multiply_adds(path) <= most:
            return path
    return _any_path(generator, params)


def multiply_adds(path: str) -> int:
    """Of a path, for an image of 224 x 224 and 1000 classes."""
    fixed, of_places = _costs()
    return fixed + sum(costs[int(digit)] for costs, digit in zip(of_places, path, strict=True))


@cache
def _costs() -> tuple[int, tuple[tuple[int, ...], ...]]:
    """The multiply-adds of stem and tail, and of each choice at each place."""
    side, width, found = _IMAGE_SIZE // 2, int(PUBLISHED_WIDTH), []
    for place in SPACE.places:
        found.append(tuple(unit_cost(place, b, width, side).multiply_adds for b in range(4)))
        side //= place.stride
    whole = cost_of(SPACE, Architecture.of("0" * len(found)), _IMAGE_SIZE, _CLASSES)
    return whole.multiply_adds - sum(costs[0] for costs in found), tuple(found)


def _any_path(generator: np.random.RandomState, params: SupernetParams) -> str:
    return "".join(allowed[generator.randint(len(allowed))] for allowed in params.choices)


def _generator(params: RecipeParams, step: int) -> np.random.RandomState:
    return np.random.RandomState(np.random.MT19937(np.random.SeedSequence((params.seed, step))))


def _own(params: RecipeParams) -> SupernetParams:
    assert isinstance(params, SupernetParams)
    return params
