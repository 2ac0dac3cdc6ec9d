"""The catalogs of the workers that have not ended, as scheduling and submissions need them."""

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property

from sqlalchemy import Connection

from service.contract.catalog import Catalog, DatasetInfo, builtin_catalog
from service.domain.offers import Offer, RecipeForm
from service.store import catalogs, workers

_MOST_CACHED = 50


@dataclass(frozen=True)
class CatalogOffer:
    """A catalog with what it offers; the digest of the built-in one is None."""

    digest: str | None
    catalog: Catalog
    offer: Offer


BUILTIN = CatalogOffer(None, builtin_catalog(), Offer.of(builtin_catalog()))


@dataclass(frozen=True)
class PresentCatalogs:
    """The catalogs of the workers that have not ended, the newest first, each once.

    `workers` is by digest how many workers have a catalog.
    """

    catalogs: tuple[CatalogOffer, ...]
    workers: Mapping[str | None, int]

    @cached_property
    def forms(self) -> Mapping[str, RecipeForm]:
        """By recipe the newest form, the built-in one where no worker has the recipe."""
        forms: dict[str, RecipeForm] = {}
        for each in [*self.catalogs, BUILTIN]:
            forms = {**each.offer.forms, **forms}
        return forms

    @cached_property
    def datasets(self) -> Mapping[str, DatasetInfo]:
        """By name the data sets that may be named."""
        known: dict[str, DatasetInfo] = {}
        for each in [*self.catalogs, BUILTIN]:
            for dataset in each.catalog.datasets:
                known.setdefault(dataset.name, dataset)
        return known


def of_workers(tx: Connection) -> PresentCatalogs:
    """The catalogs of the workers that have not ended, as the database has them now."""
    read_before = _present_within.get(tx)
    if read_before is not None:
        return read_before
    present = _read(tx)
    if tx in _present_within:
        _present_within[tx] = present
    return present


def _read(tx: Connection) -> PresentCatalogs:
    counts = Counter[str | None]()
    offers: dict[str | None, CatalogOffer] = {}
    for digest, count in workers.catalog_digests(tx).items():
        each = of_digest(tx, digest)
        offers[each.digest] = each
        counts[each.digest] += count
    return PresentCatalogs(tuple(offers.values()), counts)


@contextmanager
def read_once(tx: Connection) -> Iterator[None]:
    """Within the block the catalogs of the workers are read once at most: `tx` changes none."""
    if tx in _present_within:
        yield
        return
    _present_within[tx] = None
    try:
        yield
    finally:
        del _present_within[tx]


def of_digest(tx: Connection, digest: str | None) -> CatalogOffer:
    """The catalog of a digest, the built-in one for None."""
    if digest is None:
        return BUILTIN
    cached = _cached.get(digest)
    if cached is not None:
        return cached
    stored = catalogs.get(tx, digest)
    if stored is None:
        # Deleted while its worker registered: until the next time it can do what is built in.
        return BUILTIN
    if len(_cached) >= _MOST_CACHED:
        _cached.clear()
    offer = CatalogOffer(digest, stored, Offer.of(stored))
    return _cached.setdefault(digest, offer)


_present_within: dict[Connection, PresentCatalogs | None] = {}
"""What a transaction has read that reads the catalogs once; None if it has not read them yet."""
_cached: dict[str, CatalogOffer] = {}
"""By digest what was read: a catalog never changes, and every claim needs the worker's."""
