"""The evolutionary search against traces of the original program, and where it must end."""

import zlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pytest

from api_tests.facts.published import SEARCH
from service.contract.candidates import Fitness
from service.contract.path_costs import PathCosts
from service.contract.search_params import SearchParams
from workers.recipes.oneshot.space import SPACE
from workers.search import evolution
from workers.search.allowed_paths import AllowedPaths
from workers.search.evolution import END, NO_MORE, Proposal, evolve, order_key

COSTS = PathCosts.of(SPACE, 224, 1000)
EVERY = ("0123",) * 20
WEIGHTS = np.random.Generator(np.random.PCG64(20)).random((20, 4))
"""Of the stand-in for the error of a path, which the traces were made with."""


class Measured:
    """Measures by the stand-in, and keeps what it was asked for."""

    def __init__(self, changes: Mapping[int, Any] | None = None) -> None:
        self.populations: list[list[Proposal]] = []
        self.fitness: dict[str, Fitness] = {}
        self._changes = changes or {}

    def __call__(self, population: Sequence[Proposal]) -> Mapping[str, Fitness]:
        self.populations.append(list(population))
        for proposal in population:
            self.fitness[proposal.blocks] = self._fitness(proposal)
        return self.fitness

    def _fitness(self, proposal: Proposal) -> Fitness:
        error = sum(WEIGHTS[i][int(b)] for i, b in enumerate(proposal.blocks)) / 20
        found = Fitness(blocks=proposal.blocks, top1_error=error, top5_error=error / 2, loss=error)
        return found.model_copy(update=self._changes.get(proposal.order, {}))

    @property
    def paths(self) -> list[str]:
        return [proposal.blocks for each in self.populations for proposal in each]


def searched(
    params: SearchParams, choices: Sequence[str] = EVERY, measured: Measured | None = None
) -> tuple[Measured, str]:
    measured = measured or Measured()
    return measured, evolve(params, AllowedPaths(COSTS, choices, params.macs_limit), measured)


@pytest.mark.parametrize("name", SEARCH["search_traces"])
def test_a_search_asks_for_the_paths_of_the_original_in_their_order(name: str) -> None:
    fact = SEARCH["search_traces"][name]
    params = SearchParams(
        # The original evaluates one population more than it has generations.
        generations=fact["max_epochs"] + 1,
        population=fact["population_num"],
        parents=fact["select_num"],
        mutations=fact["mutation_num"],
        crossovers=fact["crossover_num"],
        mutation_probability=fact["m_prob"],
        macs_limit=int(fact["flops_limit"]),
        seed=fact["numpy_seed"],
    )
    measured, end = searched(params)
    assert end == END
    assert len(measured.paths) == fact["evaluated"]
    assert zlib.crc32("".join(measured.paths).encode()) == fact["crc32_of_all_evaluated"]
    letters = {"random": "r", "mutation": "m", "crossover": "x"}
    lines = [" ".join(letters[p.origin] + p.blocks for p in each) for each in measured.populations]
    assert zlib.crc32("\n".join(lines).encode()) == fact["crc32_of_origins"]
    errors = [
        min(measured.fitness[p.blocks].top1_error for p in each) for each in measured.populations
    ]
    assert errors == pytest.approx(fact["best_error_by_generation"], rel=1e-12)
    best = min(measured.paths, key=lambda path: order_key(measured.fitness[path], "error"))
    assert (best, COSTS.of_path(best)) == (fact["chosen_for_retraining"], fact["chosen_macs"])


SMALL: dict[str, Any] = {
    "generations": 3,
    "population": 8,
    "parents": 3,
    "mutations": 4,
    "crossovers": 2,
    "macs_limit": 10**9,
}
THREE_FREE = ("0123",) * 3 + ("0",) * 17


def test_a_search_whose_space_runs_out_ends_with_every_path_of_it() -> None:
    params = SearchParams(**SMALL | {"generations": 12, "mutation_probability": 0.3})
    measured, end = searched(params, THREE_FREE)
    assert end == NO_MORE
    assert len(measured.paths) == len(set(measured.paths)) == 64
    assert len(measured.populations) == 8


def test_what_no_draw_has_found_is_gone_through(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(evolution, "_RANDOM_TRIES", 3)
    monkeypatch.setattr(evolution, "_TRIES_WITHIN", 2)
    measured, end = searched(SearchParams(**SMALL | {"generations": 12}), THREE_FREE)
    assert (end, len(set(measured.paths))) == (NO_MORE, 64)
    again, _ = searched(SearchParams(**SMALL | {"generations": 12}), THREE_FREE)
    assert again.paths == measured.paths


def test_a_space_that_has_just_enough_paths_is_searched_to_the_end() -> None:
    measured, end = searched(SearchParams(**SMALL | {"generations": 8}), THREE_FREE)
    assert (end, len(set(measured.paths))) == (END, 64)


def test_the_cheapest_path_is_found_under_a_limit_that_leaves_it_alone() -> None:
    least = AllowedPaths(COSTS, EVERY, 1).least
    assert least == 270_359_360
    measured, end = searched(SearchParams(**SMALL | {"macs_limit": least}))
    assert (end, [COSTS.of_path(path) for path in measured.paths]) == (NO_MORE, [least])
    nothing, end = searched(SearchParams(**SMALL | {"macs_limit": least - 1}))
    assert (end, nothing.populations) == (NO_MORE, [])


def test_a_limit_that_one_path_of_a_million_keeps_slows_no_search_down() -> None:
    params = SearchParams(**SMALL | {"generations": 20, "macs_limit": 274_000_000})
    measured, end = searched(params)
    assert (end, len(set(measured.paths))) == (END, 160)
    assert max(map(COSTS.of_path, measured.paths)) <= 274_000_000


def test_the_limit_is_inclusive_and_a_path_has_allowed_choices_alone() -> None:
    choices = ("13",) * 10 + ("02",) * 10
    params = SearchParams(**SMALL | {"generations": 10, "mutation_probability": 1})
    for path in searched(params, choices)[0].paths:
        assert set(path[:10]) <= {"1", "3"}
        assert set(path[10:]) <= {"0", "2"}
    paths = AllowedPaths(COSTS, EVERY, COSTS.of_path("3" * 20))
    assert paths.is_within("3" * 20)
    assert not AllowedPaths(COSTS, EVERY, COSTS.of_path("3" * 20) - 1).is_within("3" * 20)


def test_the_same_seed_asks_for_the_same_and_another_one_for_others() -> None:
    first, second = (searched(SearchParams(**SMALL))[0].populations for _ in range(2))
    assert first == second
    orders = [proposal.order for population in first for proposal in population]
    assert orders == list(range(24))
    assert [each[0].generation for each in first] == [1, 2, 3]
    assert searched(SearchParams(**SMALL | {"seed": 1}))[0].populations != first


def _parents_after(changes: Mapping[int, Any], **params: Any) -> set[int]:
    """The orders of the first population of which the second one is made by mutation alone."""
    given = SMALL | {"generations": 2, "mutations": 8, "crossovers": 0} | params
    # Of one place, so that every child still tells its parent.
    measured, _ = searched(
        SearchParams(**given | {"mutation_probability": 0.02}), EVERY, Measured(changes)
    )
    first = [proposal.blocks for proposal in measured.populations[0]]

    def parent(child: str) -> int:
        return min(
            range(len(first)),
            key=lambda order: sum(a != b for a, b in zip(first[order], child, strict=True)),
        )

    return {parent(p.blocks) for p in measured.populations[1] if p.origin == "mutation"}


@pytest.mark.parametrize("by", ["error", "loss"])
def test_parents_are_the_best_by_error_or_by_loss_and_of_equal_ones_the_first(by: Any) -> None:
    equal = {"top1_error": 0.5, "top5_error": 0.5, "loss": 1.0}
    changes: dict[int, Any] = {order: equal for order in range(8)}
    assert _parents_after(changes, fitness=by) == {0, 1, 2}
    changes[4] = equal | {"loss": 0.5, "top1_error": 0.6}
    changes[6] = equal | {"top5_error": 0.4}
    best = {"error": {6, 0, 1}, "loss": {4, 0, 1}}
    assert _parents_after(changes, fitness=by) == best[by]


@pytest.mark.parametrize("by", ["error", "loss"])
def test_a_path_whose_loss_is_not_finite_is_worse_than_any_other(by: Any) -> None:
    worst = {"top1_error": 1.0, "top5_error": 1.0, "loss": 99.0}
    no_number = {"top1_error": 0.0, "top5_error": 0.0, "loss": None}
    path = {"blocks": "0" * 20}
    key_of_worst, key = (order_key(Fitness(**path | each), by) for each in (worst, no_number))
    assert key > key_of_worst
    # It is the first, and would be the only parent if it counted as equal.
    changes: dict[int, Any] = {order: worst for order in range(1, 8)} | {0: no_number}
    assert _parents_after(changes, fitness=by, parents=1) == {1}
