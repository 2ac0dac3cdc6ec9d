"""What can be asked for: the recipes, data sets and kinds that workers have, and the built-in ones.

Two workers of different versions may have one recipe in two forms. A submission is checked against
the newest form that a worker has, by when a catalog with it came first; the built-in form is the
last resort, for when no worker has one. So a user is never held to a form that nobody runs.
"""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cached_property

from sqlalchemy import Connection

from service.contract.catalog import Catalog, DatasetInfo, RecipeInfo, builtin_catalog
from service.contract.nearest import nearest_name
from service.contract.specs import AnySpec, EvalSpec, TrainSpec
from service.contract.workers import Worker, WorkerState
from service.domain.errors import NotFound, Unprocessable
from service.domain.offers import Offer, RecipeForm
from service.domain.parameters import defaults_of
from service.store import catalogs as store
from service.store import resource_classes, workers

_MOST_CACHED = 50
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


@contextmanager
def read_once(tx: Connection) -> Iterator[None]:
    """Within the block the catalogs of the workers are read once: `tx` changes none of them."""
    _present_within[tx] = _present(tx)
    try:
        yield
    finally:
        del _present_within[tx]


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
    present = _present(tx)
    counts = Counter[str]()
    for each in present.catalogs:
        counts.update(dict.fromkeys(each.offer.forms, present.workers[each.digest]))
    forms = dict(present.forms)
    for form in _forms_of_queued_jobs(tx, known=forms):
        forms.setdefault(form.recipe.name, form)
    builtin = list(_BUILTIN.offer.forms)
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
    form = _present(tx).forms.get(recipe)
    if form is not None:
        return form
    queued = _forms_of_queued_jobs(tx, known=())
    return next((form for form in queued if form.recipe.name == recipe), None)


def datasets(tx: Connection) -> list[DatasetInfo]:
    """Every data set that may be named."""
    known = _present(tx).datasets
    return [known[name] for name in sorted(known)]


def dataset_named(tx: Connection, name: str, pointer: str = "/data/dataset") -> DatasetInfo:
    """The data set of a name; raises Unprocessable, naming those there are."""
    known = _present(tx).datasets
    if name in known:
        return known[name]
    message = f"there is no data set {name!r}; there is {', '.join(sorted(known))}"
    raise Unprocessable("no_such_dataset", message, pointer)


def offer_of(tx: Connection, worker: Worker) -> Offer:
    """What a worker can do; one that has not sent it can do what the first versions could."""
    offer = _read(tx, worker.catalog_digest).offer
    return offer if worker.catalog_digest is not None else _as_of_the_first_version(offer)


def without_builtin_defaults(spec: AnySpec) -> AnySpec:
    """The spec without the parameters that have the default of the built-in form of its recipe."""
    if not isinstance(spec, TrainSpec | EvalSpec) or spec.recipe is None:
        return spec
    form = _BUILTIN.offer.forms.get(spec.recipe)
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
    } - {form.digest for form in _BUILTIN.offer.forms.values()}
    unused = [
        digest
        for digest in store.digests(tx, before)
        if not any(form.digest in needed for form in _read(tx, digest).offer.forms.values())
    ]
    return store.delete_unused(tx, unused)


@dataclass(frozen=True)
class _CatalogOffer:
    digest: str | None
    catalog: Catalog
    offer: Offer
    created_at: datetime


_BUILTIN = _CatalogOffer(
    None, builtin_catalog(), Offer.of(builtin_catalog()), datetime.min.replace(tzinfo=UTC)
)


@dataclass(frozen=True)
class _PresentCatalogs:
    """The catalogs of the workers that have not ended, the newest first, each once.

    `workers` is by digest how many workers have a catalog.
    """

    catalogs: tuple[_CatalogOffer, ...]
    workers: Mapping[str | None, int]

    @cached_property
    def forms(self) -> Mapping[str, RecipeForm]:
        """By recipe the newest form, the built-in one where no worker has the recipe."""
        forms: dict[str, RecipeForm] = {}
        for each in [*self.catalogs, _BUILTIN]:
            forms = {**each.offer.forms, **forms}
        return forms

    @cached_property
    def datasets(self) -> Mapping[str, DatasetInfo]:
        """By name the data sets that may be named."""
        known: dict[str, DatasetInfo] = {}
        for each in [*self.catalogs, _BUILTIN]:
            for dataset in each.catalog.datasets:
                known.setdefault(dataset.name, dataset)
        return known


_present_within: dict[Connection, _PresentCatalogs] = {}
"""What a transaction has read that reads the catalogs once."""
_cached: dict[str, _CatalogOffer] = {}
"""By digest what was read: a catalog never changes, and every claim needs the worker's."""


def _as_of_the_first_version(builtin: Offer) -> Offer:
    return replace(builtin, kinds=builtin.kinds & _FIRST_KINDS, data_forms=frozenset())


def _no_recipe(name: str, known: list[str]) -> str:
    nearest = nearest_name(name, known)
    hint = f"; did you mean {nearest}?" if nearest else ""
    return f"there is no recipe {name!r}; there are {', '.join(known)}{hint}"


def _read(tx: Connection, digest: str | None) -> _CatalogOffer:
    if digest is None:
        return _BUILTIN
    cached = _cached.get(digest)
    if cached is not None:
        return cached
    stored = store.get(tx, digest)
    if stored is None:
        # Deleted while its worker registered: until the next time it can do what is built in.
        return _BUILTIN
    if len(_cached) >= _MOST_CACHED:
        _cached.clear()
    offer = _CatalogOffer(digest, stored.catalog, Offer.of(stored.catalog), stored.created_at)
    return _cached.setdefault(digest, offer)


def _present(tx: Connection) -> _PresentCatalogs:
    present = _present_within.get(tx)
    if present is not None:
        return present
    counts = Counter[str | None]()
    catalogs: dict[str | None, _CatalogOffer] = {}
    for digest, count in workers.catalog_digests(tx).items():
        each = _read(tx, digest)
        catalogs[each.digest] = each
        counts[each.digest] += count
    newest_first = sorted(catalogs.values(), key=lambda each: each.created_at, reverse=True)
    return _PresentCatalogs(tuple(newest_first), counts)


def _forms_of_queued_jobs(tx: Connection, known: Collection[str]) -> Iterator[RecipeForm]:
    """Of recipes that are not `known`: the newest catalog that has the form of a queued job."""
    needs = [each.job_needs for each in resource_classes.of_queued_jobs(tx)]
    unknown = {digest for each in needs if each.recipe not in known for digest in each.forms or ()}
    for digest in store.digests(tx) if unknown else ():
        for form in _read(tx, digest).offer.forms.values():
            if form.digest in unknown:
                yield form
