"""In which forms of its recipe a queued job can run."""

import json
from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import lru_cache

from service.contract.catalog import has_variant
from service.domain.offers import JobNetwork, Offer, RecipeForm
from service.domain.parameters import is_accepted
from service.domain.placement import QueuedJob


def with_accepted_forms(
    job: QueuedJob, offers: Iterable[Offer], read_network: Callable[[str], JobNetwork]
) -> QueuedJob:
    """The job with every offered form of its recipe that its network fits, beside its own.

    So an upgrade of the workers strands no queued job whose parameters have kept their meaning.
    `read_network` is called with the id of the job where a form is offered that is not its own.
    """
    recipe, own = job.needs.recipe, job.needs.forms
    if recipe is None or own is None:
        return job
    offered = {offer.forms[recipe] for offer in offers if recipe in offer.forms}
    others = [form for form in offered if form.digest not in own]
    if not others:
        return job
    # As text: whether a form accepts it is remembered, as it is asked at every claim.
    network = read_network(job.id)
    parameters = json.dumps(network.params)
    accepted = frozenset(
        form.digest for form in others if _accepts(form, network.variant, parameters)
    )
    return replace(job, needs=job.needs.with_forms(accepted))


@lru_cache(maxsize=4096)
def _accepts(form: RecipeForm, variant: str | None, parameters: str) -> bool:
    recipe = form.recipe
    has = variant is None or has_variant(recipe.variants, recipe.spaces, variant)
    return has and is_accepted(recipe, json.loads(parameters))
