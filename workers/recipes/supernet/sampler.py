"""Which path an iteration trains: from seed and iteration alone, so that every rank draws it.

Source: the function `train` of Supernet/train.py.
"""

from collections.abc import Sequence
from functools import cache

import numpy as np

from service.contract.path_costs import PathCosts
from service.contract.path_sampling import CLASSES, IMAGE_SIZE
from workers.recipes.params import RecipeParams
from workers.recipes.supernet import SupernetParams

RANGES = 7
_TRIES = 500
"""After so many draws that lie outside of a range, the next path is taken whatever it costs."""
_OF_VALIDATION = 0
"""The iteration that no training has."""


def path_of_step(params: RecipeParams, step: int) -> str:
    """The path of iteration 1 … total_iters: a digit for each place.

    In the ramp it is drawn evenly of what the free places have; after it, as without one.
    """
    own, generator = _own(params), _generator(params, step)
    fixed = fixed_places(own, step)
    if not fixed:
        return draw(generator, own)
    choices = (each[0] if n in fixed else each for n, each in enumerate(own.choices))
    return _any_path(generator, tuple(choices))


def fixed_places(params: SupernetParams, step: int) -> frozenset[int]:
    """The places that have their first choice in an iteration, though others are allowed.

    Of the P places with several choices, in a ramp of R iterations, the last `floor(P * t / R)` are
    free in iteration t, and all of them from R on.
    """
    several = [place for place, allowed in enumerate(params.choices) if len(allowed) > 1]
    ramp = round(params.ramp * params.total_iters)
    free = len(several) if step >= ramp else len(several) * step // ramp
    return frozenset(several[: len(several) - free])


def paths_of_validation(params: RecipeParams) -> tuple[str, ...]:
    """The paths that every validation measures."""
    own, generator = _own(params), _generator(params, _OF_VALIDATION)
    return tuple(draw(generator, own) for _ in range(own.validated_paths))


def recalibration_batches(params: RecipeParams) -> int:
    """How many training batches the statistics of a validated path are learnt from."""
    return _own(params).validation_recalibration_batches


def advice(params: RecipeParams, step: int) -> str | None:
    """What helps a supernet whose paths all guess after an iteration.

    None in the first half of the iterations, and while a ramp leaves places fixed: the validated
    paths have units then that no iteration has trained.
    """
    own = _own(params)
    if 2 * step <= own.total_iters or fixed_places(own, step):
        return None
    places = sum(len(allowed) > 1 for allowed in own.choices)
    return (
        f"what usually helps: a smaller learning_rate than {own.learning_rate:g}, fewer than "
        f"{places} places with several choices, a ramp, which frees them one after another, or "
        f"more iterations; and more validation_recalibration_batches, if "
        f"{own.validation_recalibration_batches} are too few for the statistics of a path"
    )


def holdout_every(params: RecipeParams) -> int:
    """Each so-many-th training image is kept from training; 0 if none is."""
    return _own(params).holdout_every


def choices(params: RecipeParams) -> tuple[str, ...]:
    """The digits that a path may have at each place."""
    return _own(params).choices


def draw(generator: np.random.RandomState, params: SupernetParams) -> str:
    """The next path, as the original draws it from numpy's generator."""
    if params.sampling == "uniform":
        return _any_path(generator, params.choices)
    number = int(generator.randint(RANGES))
    span = params.sampling_macs_to - params.sampling_macs_from
    least = params.sampling_macs_from + span * number / RANGES
    most = params.sampling_macs_from + span * (number + 1) / RANGES
    costs = _costs(type(params))
    for _ in range(_TRIES):
        path = _any_path(generator, params.choices)
        if least <= costs.of_path(path) <= most:
            return path
    return _any_path(generator, params.choices)


def multiply_adds(path: str, supernet: type[SupernetParams] = SupernetParams) -> int:
    """Of a path through a supernet with such parameters, for 224 x 224 pixels and 1000 classes."""
    return _costs(supernet).of_path(path)


@cache
def _costs(supernet: type[SupernetParams]) -> PathCosts:
    return PathCosts.of(supernet.space, IMAGE_SIZE, CLASSES)


def _any_path(generator: np.random.RandomState, choices: Sequence[str]) -> str:
    return "".join(allowed[generator.randint(len(allowed))] for allowed in choices)


def _generator(params: RecipeParams, step: int) -> np.random.RandomState:
    return np.random.RandomState(np.random.MT19937(np.random.SeedSequence((params.seed, step))))


def _own(params: RecipeParams) -> SupernetParams:
    assert isinstance(params, SupernetParams)
    return params
