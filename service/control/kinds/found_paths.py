"""The architecture that a search has found, as the variant of a submission."""

from sqlalchemy import Connection

from service.contract.architectures import Architecture
from service.contract.catalog import RecipeInfo
from service.contract.specs import SearchSpec
from service.control.kinds.named_searches import search_named
from service.control.kinds.supernets import known_paths_of
from service.domain.errors import Unprocessable
from service.domain.networks import Spec
from service.store import candidates

_POINTER = "/variant/search"


def with_found_path(tx: Connection, spec: Spec) -> Spec:
    """The spec with the network that the search it names has found, if it names one.

    That is its best path so far, unless a variant is named, too: then it must be one of its
    candidates. Raises Unprocessable.
    """
    if spec.search is None:
        return spec
    _, search = search_named(tx, spec.search, _POINTER)
    paths = known_paths_of(tx, search)
    if paths is None or spec.recipe not in (None, paths.name):
        of = "a recipe that nobody has" if paths is None else paths.name
        message = f"what {spec.search} has found is of {of}: set recipe to that, or leave it out"
        raise Unprocessable("other_network", message, "/recipe")
    if spec.variant is None:
        variant = _best_of(tx, spec.search, search, paths)
    else:
        variant = _candidate_of(tx, spec.search, spec.variant, paths)
    return spec.model_copy(update={"recipe": paths.name, "variant": variant})


def _best_of(tx: Connection, job_id: str, search: SearchSpec, paths: RecipeInfo) -> str:
    best = candidates.best(tx, job_id, search.params.fitness)
    if best is None:
        message = f"{job_id} has no candidate yet; submit again when it has measured one"
        raise Unprocessable("no_candidate", message, _POINTER)
    assert paths.search_space is not None, "it is the recipe of a supernet's paths"
    return paths.search_space.variant(Architecture.of(best.blocks))


def _candidate_of(tx: Connection, job_id: str, variant: str, paths: RecipeInfo) -> str:
    assert paths.search_space is not None, "it is the recipe of a supernet's paths"
    architecture = paths.search_space.architecture(variant)
    is_path = architecture is not None and architecture.is_published_wide
    if architecture is None or not is_path or not candidates.has(tx, job_id, architecture.blocks):
        message = f"{variant} is no candidate of {job_id}: leave search out, or the variant"
        raise Unprocessable("no_candidate", message, "/search")
    return paths.search_space.variant(architecture)
