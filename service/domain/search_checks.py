"""Whether a search can run as its parameters say: limits, populations, given candidates."""

from collections.abc import Mapping, Sequence
from typing import Any

from service.contract.counts import count_text
from service.contract.search_params import SearchParams
from service.contract.specs import SearchSpec
from service.domain.errors import Unprocessable
from service.domain.path_spaces import EVERY_CHOICE, PathSpace

_OF_FITNESS = (
    "recalibration",
    "recalibration_batches",
    "recalibration_batch_size",
    "fitness_images",
    "holdout_every",
)
"""The parameters of which the fitness of a candidate is a function."""


def choices_of(training: Mapping[str, Any], places: int) -> tuple[str, ...] | None:
    """The digits that a supernet was trained with at each place; None where that is not known."""
    named = training.get("choices")
    if not isinstance(named, Sequence) or isinstance(named, str) or len(named) != places:
        return None
    digits = tuple("".join(sorted(set(each) & set(EVERY_CHOICE))) for each in map(str, named))
    return digits if all(digits) else None


def holdout_of(training: Mapping[str, Any]) -> int:
    """Each so-many-th image was kept from a supernet's training; 0 if none was."""
    every = training.get("holdout_every")
    return every if isinstance(every, int) else 0


def require_holdout(params: SearchParams, training: Mapping[str, Any]) -> None:
    """Raises Unprocessable unless the supernet has seen no image of the fitness.

    The validation split, which 0 is, it never has. Nothing is known of a supernet without
    parameters, which was imported.
    """
    if params.holdout_every == 1:
        message = "holdout_every 1 leaves no image to train on: use 0, or 2 and more"
        raise Unprocessable("other_holdout", message, "/params/holdout_every")
    trained = holdout_of(training)
    if not training or params.holdout_every in (None, 0, trained):
        return
    seen = "every training image" + (f" but each {trained}th" if trained else "")
    message = (
        f"holdout_every is {params.holdout_every}, and the supernet was trained with {trained}: "
        f"it has seen {seen}; leave holdout_every out, use 0 for the validation split, or train a "
        f"supernet with {params.holdout_every}"
    )
    raise Unprocessable("other_holdout", message, "/params/holdout_every")


def require_room(params: SearchParams, space: PathSpace) -> None:
    """Raises Unprocessable if the limit, the population or a given candidate cannot be."""
    _require_limit(params, space)
    _require_workers(params)
    if params.candidates is not None:
        _require_candidates(params.candidates, params, space)
        return
    within = space.count_within(params.macs_limit, params.population)
    if within < params.population:
        message = (
            f"population {params.population:,} is more than the {count_text(within, 'path')} with "
            f"at most {params.macs_limit:,} multiply-adds: use at most {within:,}, or another "
            f"macs_limit"
        )
        raise Unprocessable("population", message, "/params/population")


def require_same_fitness(
    known: SearchSpec, known_source: str | None, own: SearchSpec, source: str
) -> None:
    """Raises Unprocessable if another search's candidates were measured in another way."""
    differences = []
    if known_source != source:
        differences.append(f"its supernet is {known_source}, this one's {source}")
    if known.data != own.data:
        differences.append("its data are others")
    for name in _OF_FITNESS:
        theirs, here = getattr(known.params, name), getattr(own.params, name)
        if theirs != here:
            differences.append(f"its {name} is {theirs}, this one's {here}")
    if differences:
        message = (
            f"what {own.params.known} has measured is not the fitness of this search: "
            f"{'; '.join(differences)}; leave known out, or make them equal"
        )
        raise Unprocessable("other_fitness", message, "/params/known")


def _require_limit(params: SearchParams, space: PathSpace) -> None:
    limit, pointer = params.macs_limit, "/params/macs_limit"
    size = params.macs_image_size
    span = f"for an image of {size} px a path has {space.least:,} to {space.most:,} multiply-adds"
    if limit < space.least:
        of = "" if space.has_every_choice else " of the choices that the supernet was trained with"
        message = (
            f"macs_limit {limit:,} is below the least possible: {span}{of}, so that no candidate "
            f"is left; use {space.least:,} or more"
        )
        raise Unprocessable("macs_limit", message, pointer)
    if limit > space.most:
        default = SearchParams.model_fields["macs_limit"].default
        cure = f"use at most {space.most:,}"
        if space.least <= default <= space.most:
            cure = f"leave it out for {default:,}, or {cure}"
        message = f"macs_limit {limit:,} is above the most possible: {span}; {cure}"
        raise Unprocessable("macs_limit", message, pointer)


def _require_workers(params: SearchParams) -> None:
    most, what = params.population, f"population {params.population:,}"
    if params.candidates is not None:
        most = len(params.candidates)
        what = f"the {count_text(most, 'candidate')} given"
    if params.workers > most:
        message = (
            f"workers {params.workers} are more than {what}, which are divided among them: use "
            f"at most {most}"
        )
        raise Unprocessable("workers", message, "/params/workers")


def _require_candidates(given: Sequence[str], params: SearchParams, space: PathSpace) -> None:
    seen: dict[str, int] = {}
    for number, blocks in enumerate(given):
        problem = _problem(blocks, params, space)
        if problem is None and blocks in seen:
            problem = f"{blocks} is candidate {seen[blocks]}, too: name it once"
        if problem is not None:
            raise Unprocessable("candidate", problem, f"/params/candidates/{number}")
        seen[blocks] = number


def _problem(blocks: str, params: SearchParams, space: PathSpace) -> str | None:
    places = len(space.choices)
    if len(blocks) != places:
        return f"{blocks} has {len(blocks)} digits: a path has {places}, one for each place"
    for place, (digit, allowed) in enumerate(zip(blocks, space.choices, strict=True)):
        if digit not in allowed:
            choices = ", ".join(allowed)
            return f"{blocks} has {digit} at place {place}, where the supernet has {choices}"
    multiply_adds = space.costs.of_path(blocks)
    if multiply_adds <= params.macs_limit:
        return None
    return (
        f"{blocks} has {multiply_adds:,} multiply-adds, more than macs_limit "
        f"{params.macs_limit:,}: raise the limit, or leave the candidate out"
    )
