"""What the candidates of a search say: the best, the front, the generations, the parents."""

from collections.abc import Iterable, Sequence
from itertools import groupby
from math import isfinite
from operator import attrgetter
from statistics import median

from service.contract.candidate_ranks import best_first, front_of, heat_of, value_of
from service.contract.candidates import Candidate
from service.contract.search_params import SearchParams
from service.contract.search_summaries import FitnessName, SearchGeneration, SearchSummary
from service.domain.path_spaces import PathSpace


def total_of(params: SearchParams) -> int:
    """How many candidates a search evaluates, unless its space has no more."""
    if params.candidates is not None:
        return len(params.candidates)
    return params.generations * params.population


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


def summary_of(
    job_id: str,
    params: SearchParams,
    candidates: Sequence[Candidate],
    *,
    recipe: str | None,
    space: PathSpace | None,
) -> SearchSummary:
    """The summary of a search; `space` None where its network is not known any more."""
    fitness, ranked = params.fitness, best_first(candidates, params.fitness)
    parents = ranked[: params.parents]
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
        best=ranked[0] if ranked else None,
        front=tuple(front_of(candidates, fitness)),
        generations=generations_of(candidates, fitness),
        parents=tuple(parents),
        heat=heat_of(parents, places),
    )


def _finite(value: float) -> float | None:
    return value if isfinite(value) else None
