"""What the candidates of a search say: the best, the front, the generations, the parents."""

from collections.abc import Iterable, Sequence
from itertools import groupby
from math import inf, isfinite
from operator import attrgetter
from statistics import median
from typing import TypeVar

from service.contract.candidates import Candidate, Fitness
from service.contract.search_params import SearchParams
from service.contract.search_summaries import (
    CHOICES,
    MOST_PARENTS,
    MOST_SHOWN,
    FitnessName,
    SearchGeneration,
    SearchSummary,
)
from service.domain.path_spaces import PathSpace

Rank = tuple[float, float, int]
Item = TypeVar("Item")


def total_of(params: SearchParams) -> int:
    """How many candidates a search evaluates, unless its space has no more."""
    if params.candidates is not None:
        return len(params.candidates)
    return params.generations * params.population


def value_of(candidate: Fitness, fitness: FitnessName) -> float:
    """The error or the loss by which it is judged, lower is better.

    Infinite of one whose loss is not finite, whatever its error.
    """
    if candidate.loss is None:
        return inf
    return candidate.top1_error if fitness == "error" else candidate.loss


def rank_of(candidate: Candidate, fitness: FitnessName) -> Rank:
    """By which candidates are sorted, the best first; of equal ones that which came first."""
    second = candidate.top5_error if fitness == "error" else 0.0
    return value_of(candidate, fitness), second, candidate.order


def best_first(candidates: Iterable[Candidate], fitness: FitnessName) -> list[Candidate]:
    """The candidates in the order of their fitness."""
    return sorted(candidates, key=lambda each: rank_of(each, fitness))


def front_of(candidates: Sequence[Candidate], fitness: FitnessName) -> list[Candidate]:
    """Those than which none is smaller and as good, the smallest first."""
    front: list[Candidate] = []
    measured = (each for each in candidates if isfinite(value_of(each, fitness)))
    for each in sorted(measured, key=lambda c: (c.multiply_adds, rank_of(c, fitness))):
        if not front or rank_of(each, fitness)[:2] < rank_of(front[-1], fitness)[:2]:
            front.append(each)
    return front


def generations_of(
    candidates: Iterable[Candidate], fitness: FitnessName
) -> tuple[SearchGeneration, ...]:
    """Each population by its number, as far as it is evaluated."""
    number = attrgetter("generation")
    groups = groupby(sorted(candidates, key=number), key=number)
    values = ((found, [value_of(each, fitness) for each in group]) for found, group in groups)
    return tuple(
        SearchGeneration(
            number=found,
            evaluated=len(group),
            best=_finite(min(group)),
            median=_finite(median(group)),
        )
        for found, group in values
    )


def spread(items: Sequence[Item], most: int) -> list[Item]:
    """At most so many (two or more), evenly spread: the first and the last are among them."""
    if len(items) <= most:
        return list(items)
    return [items[number * (len(items) - 1) // (most - 1)] for number in range(most)]


def heat_of(candidates: Sequence[Candidate], places: int) -> tuple[tuple[int, ...], ...]:
    """For each place how often each choice stands there; a digit that is no choice is passed."""
    counts = [[0] * CHOICES for _ in range(places)]
    for each in candidates:
        for count, digit in zip(counts, each.blocks, strict=False):
            if int(digit) < CHOICES:
                count[int(digit)] += 1
    return tuple(map(tuple, counts))


def summary_of(
    job_id: str,
    params: SearchParams,
    candidates: Sequence[Candidate],
    *,
    recipe: str | None,
    space: PathSpace | None,
) -> SearchSummary:
    """The summary of a search, cut to what it may have.

    `space` is None where its network is not known any more.
    """
    fitness, ranked = params.fitness, best_first(candidates, params.fitness)
    parents = ranked[: params.parents]
    front, generations = front_of(candidates, fitness), generations_of(candidates, fitness)
    left_out = {
        "/front": len(front) - MOST_SHOWN,
        "/generations": len(generations) - MOST_SHOWN,
        "/parents": len(parents) - MOST_PARENTS,
    }
    longest = max((len(each.blocks) for each in candidates), default=0)
    places = longest if space is None else len(space.choices)
    return SearchSummary(
        job_id=job_id,
        recipe=recipe,
        fitness=fitness,
        macs_limit=params.macs_limit,
        macs_image_size=params.macs_image_size,
        least_multiply_adds=None if space is None else space.least,
        most_multiply_adds=None if space is None else space.most,
        places=places,
        evaluated=len(candidates),
        total=total_of(params),
        workers=params.workers,
        best=ranked[0] if ranked else None,
        front=tuple(spread(front, MOST_SHOWN)),
        generations=tuple(spread(generations, MOST_SHOWN)),
        parents=tuple(parents[:MOST_PARENTS]),
        heat=heat_of(parents, places),
        left_out={pointer: count for pointer, count in left_out.items() if count > 0},
    )


def _finite(value: float) -> float | None:
    return value if isfinite(value) else None
