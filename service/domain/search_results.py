"""What the candidates of a search say: the best, the front, the generations, the parents."""

from collections.abc import Sequence

from service.contract.candidate_ranks import (
    best_first,
    front_of,
    generations_of,
    heat_of,
    spread,
)
from service.contract.candidates import Candidate
from service.contract.search_params import SearchParams
from service.contract.search_summaries import MOST_PARENTS, MOST_SHOWN, SearchSummary
from service.domain.path_spaces import PathSpace


def total_of(params: SearchParams) -> int:
    """How many candidates a search evaluates, unless its space has no more."""
    if params.candidates is not None:
        return len(params.candidates)
    return params.generations * params.population


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
