"""What a worker offers to run, and whether a job can run there."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from service.contract.catalog import Catalog, RecipeInfo


@dataclass(frozen=True)
class RecipeForm:
    """A recipe in one form; equal if the digests are."""

    digest: str
    recipe: RecipeInfo = field(compare=False)


@dataclass(frozen=True)
class Offer:
    """The recipes that a worker has, by name, the kinds of job that it runs, and the forms of data
    that it reads beside named data sets and plain folders."""

    forms: Mapping[str, RecipeForm]
    kinds: frozenset[str]
    data_forms: frozenset[str] = frozenset()

    @classmethod
    def of(cls, catalog: Catalog) -> "Offer":
        """The offer of a worker with this catalog."""
        forms = {recipe.name: RecipeForm(recipe.digest, recipe) for recipe in catalog.recipes}
        return cls(forms, frozenset(catalog.kinds), frozenset(catalog.data_forms))

    def can_run(self, needs: "JobNeeds") -> bool:
        """Whether kind, forms of data and recipe of a job are offered.

        The recipe must be offered in a form that the job has.
        """
        if needs.kind is not None and needs.kind not in self.kinds:
            return False
        if not needs.data_forms <= self.data_forms:
            return False
        form = self.forms.get(needs.recipe) if needs.recipe is not None else None
        if form is None:
            return needs.recipe is None
        return needs.forms is None or form.digest in needs.forms


@dataclass(frozen=True)
class JobNetwork:
    """What a job asks of its recipe; no parameters where its spec has no object of them."""

    variant: str | None
    params: Mapping[str, Any]


@dataclass(frozen=True)
class JobNeeds:
    """What a worker must have for a job, and be able to run.

    `forms` are the digests of the recipe's forms in which the job can run; None is any form. A job
    without a recipe, as an import is, and one that was stored before catalogs run on every worker.
    `data_forms` are the forms of its data, none for a named data set and for plain folders.
    `gpus` are needed on each of `hosts`. Where a job has a range of them, `gpu_counts` are the
    numbers that it may have, rising: `gpus` is the first, and all that it waits for.
    """

    gpus: int = 0
    labels: Mapping[str, str] = field(default_factory=dict)
    kind: str | None = None
    recipe: str | None = None
    forms: frozenset[str] | None = None
    data_forms: frozenset[str] = frozenset()
    hosts: int = 1
    gpu_counts: tuple[int, ...] = ()

    @property
    def is_wide(self) -> bool:
        """Whether narrow jobs could keep what is needed from ever being free at once."""
        return self.gpus > 0 or self.hosts > 1

    def gpus_within(self, free: int) -> int:
        """How many GPUs the job is given on each host where so many are free there.

        That are as many as it may have, and never fewer than it needs.
        """
        return max((each for each in self.gpu_counts if each <= free), default=self.gpus)

    @property
    def in_any_form(self) -> "JobNeeds":
        """These needs with the recipe in any form."""
        return replace(self, forms=None)

    def with_forms(self, digests: frozenset[str]) -> "JobNeeds":
        """These needs with further forms in which the job can run."""
        return self if self.forms is None else replace(self, forms=self.forms | digests)
