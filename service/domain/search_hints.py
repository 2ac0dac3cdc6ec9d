"""What is worth knowing of a search that can run."""

from collections.abc import Iterator
from typing import NamedTuple

from service.contract.hints import Hint
from service.contract.search_params import SearchParams
from service.domain.path_spaces import PathSpace
from service.domain.search_results import total_of


class SeenBy(NamedTuple):
    """A training that has seen images which are held out now; `every` is by what it held out.

    `checkpoint_id` is the one that it left in the lineage.
    """

    job_id: str
    checkpoint_id: str
    every: int


def seen_hint(every: int, seen: SeenBy) -> Hint:
    """That the images which `every` holds out are none that the supernet has not seen."""
    by = f"with holdout_every {seen.every}" if seen.every else "without holdout_every"
    detail = (
        f"the weights come from {seen.checkpoint_id}, which {seen.job_id} has trained {by} on "
        f"these data: they have seen images that holdout_every {every} keeps for a search, which "
        "would be flattering; begin from new weights, or from a supernet that was trained with "
        f"holdout_every {every}"
    )
    return Hint(pointer="/params/holdout_every", level="warning", detail=detail)


def search_hints_of(params: SearchParams, space: PathSpace, *, is_known: bool) -> Iterator[Hint]:
    """Of the paths within the limit, and of the images that measure them.

    `is_known` is whether it is known how the supernet was trained.
    """
    total = total_of(params)
    images = params.recalibration_batches * params.recalibration_batch_size
    detail = (
        f"{total:,} candidates, each of which sees {images:,} training images for its statistics "
        f"and at most {params.fitness_images:,} for its fitness"
    )
    yield Hint(pointer="/params", detail=detail)
    yield from _limit(params, space, total)
    if not params.holdout_every:
        detail = (
            "the candidates are chosen by the validation split, so that the validation error of "
            "the best one is flattering; a supernet that is trained with holdout_every keeps "
            "images for the search"
        )
        yield Hint(pointer="/params/holdout_every", level="warning", detail=detail)
    if not is_known:
        detail = (
            "it is not known how the supernet was trained: every choice may be a candidate's, and "
            "the images of holdout_every may have been trained with"
        )
        yield Hint(pointer="/checkpoint", detail=detail)


def _limit(params: SearchParams, space: PathSpace, total: int) -> Iterator[Hint]:
    span = f"{space.least / 1e6:,.1f} to {space.most / 1e6:,.1f} M multiply-adds"
    detail = f"a path has {span} for an image of {params.macs_image_size} px"
    yield Hint(pointer="/params/macs_limit", detail=detail)
    if params.candidates is not None:
        return
    within = space.count_within(params.macs_limit, total)
    if within < total:
        detail = f"only {within:,} paths are within the limit: the search ends when it has them all"
        yield Hint(pointer="/params/macs_limit", level="warning", detail=detail)
