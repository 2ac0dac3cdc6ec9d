"""What can be asked for: the recipes, data sets and kinds that workers have, and the built-in ones.

Two workers of different versions may have one recipe in two forms. A submission is checked against
the newest form that a worker has, by when a catalog with it came first; the built-in form is the
last resort, for when no worker has one. So a user is never held to a form that nobody runs.
"""

from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache

from sqlalchemy import Connection

from service.contract.catalog import Catalog, DatasetInfo, RecipeInfo
from service.contract.nearest import nearest_name
from service.contract.specs import AnySpec, EvalSpec, TrainSpec
from service.contract.workers import Worker, WorkerState
from service.control.scheduling import present_catalogs
from service.control.scheduling.present_catalogs import BUILTIN
from service.domain.errors import NotFound, Unprocessable
from service.domain.offers import Offer, RecipeForm
from service.domain.parameters import defaults_of
from service.store import catalogs as store
from service.store import resource_classes, workers

_FIRST_KINDS = frozenset({"train", "eval", "import", "export"})
"""What every worker runs, also one of a version that sends no catalog."""


@dataclass(frozen=True)
class OfferedRecipe:
    """A recipe in the form that submissions are checked against, and how many workers have it."""

    form: RecipeForm
    workers: int


def put(tx: Connection, worker_id: str, catalog: Catalog, now: datetime) -> None:
    """Store what a worker can do, which was checked before; raises NotFound."""
    worker = workers.get(tx, worker_id, lock=True)
    if worker is None or worker.state in (WorkerState.LOST, WorkerState.GONE):
        raise NotFound("unknown_worker", f"worker {worker_id} must register (again)")
    digest = catalog.digest
    store.put(tx, digest, catalog, now)
    workers.change(tx, worker_id, {"catalog_digest": digest})


def is_stored(tx: Connection, catalog: Catalog) -> bool:
    """Whether the catalog came before, so that it was checked."""
    return store.get(tx, catalog.digest) is not None


def recipes(tx: Connection) -> list[RecipeInfo]:
    """Every recipe that may be submitted: the built-in ones first, then by name."""
    return [each.form.recipe for each in offered_recipes(tx)]


def offered_recipes(tx: Connection) -> list[OfferedRecipe]:
    """Every recipe that may be submitted: the built-in ones first, then by name.

    Besides those of workers and the built-in ones, these are the ones that queued jobs wait for.
    """
    of_workers = present_catalogs.of_workers(tx)
    counts = Counter[str]()
    for each in of_workers.catalogs:
        counts.update(dict.fromkeys(each.offer.forms, of_workers.workers[each.digest]))
    forms = dict(of_workers.forms)
    for form in _forms_of_queued_jobs(tx, known=forms):
        forms.setdefault(form.recipe.name, form)
    builtin = list(BUILTIN.offer.forms)
    names = builtin + sorted(forms.keys() - set(builtin))
    return [OfferedRecipe(forms[name], counts[name]) for name in names]


def offered_recipe(tx: Connection, name: str) -> OfferedRecipe:
    """One recipe that may be submitted; raises NotFound, naming those there are."""
    offered = {each.form.recipe.name: each for each in offered_recipes(tx)}
    if name not in offered:
        raise NotFound("no_such_recipe", _no_recipe(name, list(offered)))
    return offered[name]


def recipe_named(tx: Connection, name: str, pointer: str = "/recipe") -> RecipeInfo:
    """The recipe of a name; raises Unprocessable, naming those there are."""
    form = form_of(tx, name)
    if form is not None:
        return form.recipe
    message = _no_recipe(name, [recipe.name for recipe in recipes(tx)])
    raise Unprocessable("no_such_recipe", message, pointer)


def form_of(tx: Connection, recipe: str) -> RecipeForm | None:
    """The form that submissions of a recipe are checked against; None if nobody knows it."""
    form = present_catalogs.of_workers(tx).forms.get(recipe)
    if form is not None:
        return form
    queued = _forms_of_queued_jobs(tx, known=())
    return next((form for form in queued if form.recipe.name == recipe), None)


def datasets(tx: Connection) -> list[DatasetInfo]:
    """Every data set that may be named."""
    known = present_catalogs.of_workers(tx).datasets
    return [known[name] for name in sorted(known)]


def dataset_named(tx: Connection, name: str, pointer: str = "/data/dataset") -> DatasetInfo:
    """The data set of a name; raises Unprocessable, naming those there are."""
    known = present_catalogs.of_workers(tx).datasets
    if name in known:
        return known[name]
    message = f"there is no data set {name!r}; there is {', '.join(sorted(known))}"
    raise Unprocessable("no_such_dataset", message, pointer)


def offer_of(tx: Connection, worker: Worker) -> Offer:
    """What a worker can do; one that has not sent it can do what the first versions could."""
    offer = present_catalogs.of_digest(tx, worker.catalog_digest).offer
    return offer if worker.catalog_digest is not None else _as_of_the_first_version(offer)


def without_builtin_defaults(spec: AnySpec) -> AnySpec:
    """The spec without the parameters that have the default of the built-in form of its recipe."""
    if not isinstance(spec, TrainSpec | EvalSpec) or spec.recipe is None:
        return spec
    form = BUILTIN.offer.forms.get(spec.recipe)
    defaults = {} if form is None else defaults_of(form.recipe)
    given = {
        name: value
        for name, value in spec.params.items()
        if name not in defaults or value != defaults[name]
    }
    return spec.model_copy(update={"params": given})


def delete_unused(tx: Connection, before: datetime) -> int:
    """Delete catalogs that came `before`, no worker has and no queued job needs; gives how many."""
    needed = {
        form for each in resource_classes.of_queued_jobs(tx) for form in each.job_needs.forms or ()
    } - {form.digest for form in BUILTIN.offer.forms.values()}
    unused = [
        digest
        for digest in store.digests(tx, before)
        if not any(
            form.digest in needed
            for form in present_catalogs.of_digest(tx, digest).offer.forms.values()
        )
    ]
    return store.delete_unused(tx, unused)


def _as_of_the_first_version(builtin: Offer) -> Offer:
    forms = {name: _without_search_spaces(form) for name, form in builtin.forms.items()}
    kinds = builtin.kinds & _FIRST_KINDS
    return replace(builtin, forms=forms, kinds=kinds, data_forms=frozenset())


@cache
def _without_search_spaces(form: RecipeForm) -> RecipeForm:
    if not form.recipe.spaces:
        return form
    recipe = form.recipe.model_copy(update={"search_space": None, "search_spaces": ()})
    return RecipeForm(recipe.digest, recipe)


def _no_recipe(name: str, known: list[str]) -> str:
    nearest = nearest_name(name, known)
    hint = f"; did you mean {nearest}?" if nearest else ""
    return f"there is no recipe {name!r}; there are {', '.join(known)}{hint}"


def _forms_of_queued_jobs(tx: Connection, known: Collection[str]) -> Iterator[RecipeForm]:
    """Of recipes that are not `known`: the newest catalog that has the form of a queued job."""
    needs = [each.job_needs for each in resource_classes.of_queued_jobs(tx)]
    unknown = {digest for each in needs if each.recipe not in known for digest in each.forms or ()}
    for digest in store.digests(tx) if unknown else ():
        for form in present_catalogs.of_digest(tx, digest).offer.forms.values():
            if form.digest in unknown:
                yield form
