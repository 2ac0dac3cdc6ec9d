"""What workers can do, as data: recipes, data sets and kinds of job.

A worker sends the control plane its catalog; the built-in one is shipped with the service, so that
a submission works before any worker is there.
"""

import hashlib
import json
from collections.abc import Collection, Iterable, Sequence
from functools import cache
from importlib.resources import files
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from service.contract.architectures import SpaceName
from service.contract.json_values import JsonWithin
from service.contract.search_spaces import SearchSpace
from service.contract.space_table import SpaceTable
from service.contract.text import Message, ShortText

BUILTIN_FILE = "builtin_catalog.json"
CATALOG_BYTES = 1024 * 1024
_MOST_SPACES = 20
_MOST_ENTRIES = 10_000
"""More than a catalog may have: `service.domain.catalog_rules` names what is too much."""


class _Entry(BaseModel):
    """An entry whose unknown fields are ignored, since a newer worker may send more."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class NetworkSize(_Entry):
    """The size of a network with 1000 classes.

    `multiply_adds` counts those of convolutions and linear layers for one image of 224 x 224 in
    eval mode. Auxiliary heads are used in training only.
    """

    parameters: int
    parameters_without_auxiliary_heads: int
    multiply_adds: int


class RecipeInfo(_Entry):
    """One family of networks and how it is trained.

    `parameters` is a JSON Schema (draft 2020-12) of an object: every property has its default,
    `description`, limits, and a `unit` where it has one. `package` is the distribution that brings
    the recipe. With a `search_space` any architecture of it is a variant, too; where there are
    several, or one that an older server would not understand, they are the `search_spaces`. The
    recipe of a supernet names in `path_recipe` the recipe of which each of its paths is a variant,
    and in `path_space` of which of that recipe's spaces, where it has several.
    """

    name: ShortText
    title: Message
    source: Message | None = None
    variants: Annotated[tuple[ShortText, ...], Field(max_length=_MOST_ENTRIES)]
    sizes: Annotated[dict[ShortText, NetworkSize], Field(max_length=_MOST_ENTRIES)] = Field(
        default_factory=dict
    )
    recalibrates_batch_norm: bool = False
    parameters: Annotated[dict[str, Any], JsonWithin(CATALOG_BYTES)]
    package: ShortText = "trainyard-service"
    # Left out where there is none: the digest of an older worker's form stays what it was.
    search_space: Annotated[SearchSpace | None, Field(exclude_if=lambda space: space is None)] = (
        None
    )
    search_spaces: Annotated[
        tuple[SearchSpace, ...],
        Field(max_length=_MOST_SPACES, exclude_if=lambda spaces: not spaces),
    ] = ()
    path_recipe: Annotated[ShortText | None, Field(exclude_if=lambda recipe: recipe is None)] = None
    path_space: Annotated[SpaceName | None, Field(exclude_if=lambda space: space is None)] = None

    @property
    def spaces(self) -> SpaceTable:
        """Every space of the recipe."""
        return table_of(self.search_space, self.search_spaces)

    def for_paths_of(self, supernet: "RecipeInfo") -> "RecipeInfo":
        """The recipe with the one space that has the paths of a supernet as its `search_space`."""
        space = self.spaces.named(supernet.path_space)
        return self.model_copy(update={"search_space": space, "search_spaces": ()})

    @property
    def digest(self) -> str:
        """The sha256 of the recipe's form: equal for workers that run it in the same form."""
        return _digest_of(self)


def table_of(only: SearchSpace | None, several: Iterable[SearchSpace]) -> SpaceTable:
    """The spaces of a recipe, which has one or several."""
    return SpaceTable((*([only] if only is not None else []), *several))


def has_variant(variants: Collection[str], spaces: SpaceTable, variant: str) -> bool:
    """Whether a recipe has the variant, by its name or as an architecture of one of its spaces."""
    return variant in variants or spaces.find(variant) is not None


def no_variant(recipe: str, variants: Sequence[str], spaces: SpaceTable) -> str:
    """The sentence for a variant that a recipe does not have: those that it has."""
    architecture = f", and any architecture: {spaces.digits}" if spaces else ""
    return f"recipe {recipe} has the variants {', '.join(variants)}{architecture}"


class DatasetInfo(_Entry):
    """A data set as `GET /datasets` shows it; the counts are images."""

    object: Literal["dataset"] = "dataset"
    name: ShortText
    description: Message
    num_classes: int
    train_images: int
    val_images: int
    licence: Message
    source: Message


class Catalog(_Entry):
    """The recipes, data sets and kinds of job that a worker can run.

    `data_forms` are what it reads beside named data sets and plain folders, such as `packed`.
    """

    recipes: Annotated[tuple[RecipeInfo, ...], Field(max_length=_MOST_ENTRIES)] = ()
    datasets: Annotated[tuple[DatasetInfo, ...], Field(max_length=_MOST_ENTRIES)] = ()
    kinds: Annotated[tuple[ShortText, ...], Field(max_length=_MOST_ENTRIES)] = ()
    # Left out where there are none: the digest of an older worker's catalog stays what it was.
    data_forms: Annotated[
        tuple[ShortText, ...],
        Field(max_length=_MOST_ENTRIES, exclude_if=lambda forms: not forms),
    ] = ()

    @property
    def digest(self) -> str:
        """The sha256 of the catalog."""
        return _digest_of(self)

    def recipe(self, name: str) -> RecipeInfo | None:
        """The recipe of this name, if the catalog has it."""
        return next((recipe for recipe in self.recipes if recipe.name == name), None)


@cache
def builtin_catalog() -> Catalog:
    """What each worker of this version can do; `workers.recipes.catalog` writes the file."""
    return Catalog.model_validate_json((files("service.contract") / BUILTIN_FILE).read_text())


def _digest_of(entry: _Entry) -> str:
    text = json.dumps(entry.model_dump(mode="json"), sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
