"""In which forms of its recipe a queued job can run."""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Any

from service.domain.offers import Offer, RecipeForm
from service.domain.parameters import is_accepted
from service.domain.placement import QueuedJob


def with_accepted_forms(
    job: QueuedJob, offers: Iterable[Offer], read_parameters: Callable[[str], Mapping[str, Any]]
) -> QueuedJob:
    """The job with every offered form of its recipe that its parameters fit, beside its own.

    So an upgrade of the workers strands no queued job whose parameters have kept their meaning.
    `read_parameters` is called with the id of the job where a form is offered that is not its own.
    """
    recipe, own = job.needs.recipe, job.needs.forms
    if recipe is None or own is None:
        return job
    offered = {offer.forms[recipe] for offer in offers if recipe in offer.forms}
    others = [form for form in offered if form.digest not in own]
    if not others:
        return job
    # As text: whether a form accepts it is remembered, as it is asked at every claim.
    parameters = json.dumps(read_parameters(job.id))
    accepted = frozenset(form.digest for form in others if _accepts(form, parameters))
    return replace(job, needs=job.needs.with_forms(accepted))


@lru_cache(maxsize=4096)
def _accepts(form: RecipeForm, parameters: str) -> bool:
    return is_accepted(form.recipe, json.loads(parameters))
