"""What the candidates of a search are: the best, the front, the generations, and their choices."""

from collections.abc import Iterable, Sequence
from itertools import groupby
from math import inf, isfinite
from operator import attrgetter
from statistics import median
from typing import TypeVar

from service.contract.candidates import Candidate, Fitness
from service.contract.search_summaries import CHOICES, FitnessName, SearchGeneration

Rank = tuple[float, float, int]
Item = TypeVar("Item")


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


def spread(items: Sequence[Item], most: int) -> list[Item]:
    """At most so many (two or more), evenly spread: the first and the last are among them."""
    if len(items) <= most:
        return list(items)
    return [items[number * (len(items) - 1) // (most - 1)] for number in range(most)]


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


def heat_of(candidates: Sequence[Candidate], places: int) -> tuple[tuple[int, ...], ...]:
    """For each place how often each choice stands there; a digit that is no choice is passed."""
    counts = [[0] * CHOICES for _ in range(places)]
    for each in candidates:
        for count, digit in zip(counts, each.blocks, strict=False):
            if int(digit) < CHOICES:
                count[int(digit)] += 1
    return tuple(map(tuple, counts))


def _finite(value: float) -> float | None:
    return value if isfinite(value) else None
