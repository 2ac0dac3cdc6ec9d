"""What the candidates of a search say."""

from itertools import pairwise
from typing import Any

from api_tests.support.searches import a_candidate, blocks_of
from service.contract.candidate_ranks import front_of, heat_of
from service.contract.candidates import Candidate
from service.contract.search_params import SearchParams
from service.contract.search_summaries import MOST_PARENTS, MOST_SHOWN
from service.domain.search_results import summary_of, total_of


def candidates(*fields: dict[str, Any]) -> list[Candidate]:
    """One for each, in their order."""
    return [Candidate.model_validate(a_candidate(n, **each)) for n, each in enumerate(fields)]


def test_none_of_the_front_is_larger_and_no_better_than_another() -> None:
    found = candidates(
        {"multiply_adds": 5, "top1_error": 0.5},
        {"multiply_adds": 5, "top1_error": 0.4},
        {"multiply_adds": 6, "top1_error": 0.4, "top5_error": a_candidate(1)["top5_error"]},
        {"multiply_adds": 9, "top1_error": 0.1, "loss": None},
        {"multiply_adds": 8, "top1_error": 0.2},
    )
    assert [each.order for each in front_of(found, "error")] == [1, 4]


def test_of_equal_candidates_that_which_came_first_is_the_best() -> None:
    equal = {"top1_error": 0.5, "top5_error": 0.1, "loss": 2.0}
    found = candidates(equal, equal | {"top5_error": 0.05}, equal, equal | {"loss": None})
    for fitness, orders in (("error", [1, 0, 2]), ("loss", [0, 1, 2])):
        params = SearchParams.model_validate({"fitness": fitness, "parents": 3})
        summary = summary_of("job_1", params, found[::-1], recipe=None, space=None)
        assert [each.order for each in summary.parents] == orders
        assert summary.best == found[orders[0]]


def test_generations_have_their_best_and_their_median() -> None:
    losses = (3.0, 1.0, 2.0, None, 4.0, None)
    found = candidates(*({"loss": loss, "generation": n // 3 + 1} for n, loss in enumerate(losses)))
    params = SearchParams(fitness="loss")
    summary = summary_of("job_1", params, found, recipe="oneshot", space=None)
    assert [
        (each.number, each.evaluated, each.best, each.median) for each in summary.generations
    ] == [
        (1, 3, 1.0, 2.0),
        (2, 3, 4.0, None),
    ]
    assert (summary.evaluated, summary.total, summary.places) == (6, 1050, 20)


def test_the_heat_counts_each_choice_at_each_place() -> None:
    found = candidates({"blocks": "0123"}, {"blocks": "0120"}, {"blocks": "0929"})
    assert heat_of(found, 4) == ((3, 0, 0, 0), (0, 2, 0, 0), (0, 0, 3, 0), (1, 0, 0, 1))


def test_a_search_of_nothing_yet_has_a_summary() -> None:
    summary = summary_of("job_1", SearchParams(), [], recipe=None, space=None)
    assert (summary.best, summary.front, summary.generations, summary.heat) == (None, (), (), ())
    assert total_of(SearchParams(candidates=(blocks_of(1),))) == 1


def test_a_summary_of_very_many_has_lists_of_limited_size_and_says_what_is_missing() -> None:
    params = SearchParams(population=1, generations=2000, mutations=0, crossovers=0, parents=1500)
    found = candidates(*({"generation": number + 1} for number in range(2000)))
    summary = summary_of("job_1", params, found, recipe=None, space=None)
    assert summary.left_out == {"/front": 1500, "/generations": 1500, "/parents": 1400}
    assert (len(summary.front), len(summary.generations)) == (MOST_SHOWN, MOST_SHOWN)
    # Each is better and larger than the one before.
    assert (summary.front[0], summary.front[-1]) == (found[0], found[-1])
    numbers = [each.number for each in summary.generations]
    assert (numbers[0], numbers[-1], len(set(numbers))) == (1, 2000, MOST_SHOWN)
    assert {after - before for before, after in pairwise(numbers)} == {4, 5}
    assert list(summary.parents) == found[: -MOST_PARENTS - 1 : -1]
    assert sum(summary.heat[0]) == 1500
    assert len(summary.model_dump_json()) < 300_000


def test_a_summary_that_has_all_does_not_say_what_is_missing() -> None:
    found = candidates(*({} for _ in range(MOST_PARENTS)))
    params = SearchParams(parents=MOST_PARENTS)
    summary = summary_of("job_1", params, found, recipe=None, space=None)
    assert "left_out" not in summary.model_dump()
    assert len(summary.parents) == MOST_PARENTS
