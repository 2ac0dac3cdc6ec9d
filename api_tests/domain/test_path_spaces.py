"""How many paths are within a limit, and what they cost."""

from itertools import product

import pytest

from service.contract.architecture_costs import cost_of
from service.contract.architectures import Architecture
from service.contract.catalog import builtin_catalog
from service.contract.path_costs import PathCosts
from service.contract.search_spaces import SearchSpace
from service.domain.path_spaces import PathSpace


@pytest.fixture(scope="module")
def space() -> SearchSpace:
    recipe = builtin_catalog().recipe("oneshot")
    assert recipe is not None
    assert recipe.search_space is not None
    return recipe.search_space


@pytest.fixture(scope="module")
def narrow(space: SearchSpace) -> PathSpace:
    """384 paths."""
    choices = ["0123", "13", "02", "0", "123"] + ["2"] * 12 + ["13", "02", "12"]
    return PathSpace.of(PathCosts.of(space, 64, 10), choices)


def test_the_span_of_the_published_space_is_that_of_the_published_program(
    space: SearchSpace,
) -> None:
    whole = PathSpace.of(PathCosts.of(space, 224, 1000), None)
    assert (whole.least, whole.most) == (270_359_360, 398_609_216)
    assert whole.count_within(whole.least, 1_000) == 1
    assert whole.count_within(whole.most, 4**20 + 1) == 4**20


def test_paths_within_every_limit_are_counted_exactly(
    space: SearchSpace, narrow: PathSpace
) -> None:
    paths = ["".join(digits) for digits in product(*narrow.choices)]
    costs = sorted(cost_of(space, Architecture.of(each), 64, 10).multiply_adds for each in paths)
    assert (narrow.least, narrow.most) == (costs[0], costs[-1])
    for limit in {costs[0] - 1, costs[-1] + 1, *costs}:
        within = sum(cost <= limit for cost in costs)
        assert narrow.count_within(limit, len(paths) + 1) == within
        assert narrow.count_within(limit, 7) == min(within, 7)
