"""The routes of what can be asked for: recipes and data sets."""

import json
from functools import lru_cache
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from service.api.dependencies import Context
from service.api.parameters import PathName, Whole
from service.api.refusals import refusals
from service.api.responses import UNCHANGED, Page, conditional, list_json, listed
from service.contract.architecture_costs import ArchitectureSize
from service.contract.architectures import Architecture, Blocks, Channels, SpaceName
from service.contract.catalog import DatasetInfo
from service.contract.checkpoints import MOST_CLASSES
from service.contract.model_json import json_of
from service.control.scheduling import catalogs
from service.domain.networks import size_of
from service.domain.offers import RecipeForm
from service.domain.parameters import defaults_of

router = APIRouter(tags=["catalog"])

_Blocks = Annotated[Blocks, Query()]
_Channels = Annotated[Channels | None, Query()]
_Space = Annotated[SpaceName | None, Query()]
_ImageSize = Annotated[int, Query(ge=32, le=2048, multiple_of=32), Whole]
_Classes = Annotated[int, Query(ge=1, le=MOST_CLASSES), Whole]


@router.get("/recipes", responses=UNCHANGED)
def recipes(request: Request, context: Context) -> Response:
    """Each recipe: variants with their sizes, the published defaults, the parameters' schema."""
    with context.database.read() as tx:
        offered = catalogs.offered_recipes(tx)
    shown = (_shown(each.form, each.workers) for each in offered)
    return conditional(request, list_json(shown, has_more=False, last=None))


@router.get("/recipes/{name}", responses=UNCHANGED | refusals(404))
def recipe(request: Request, name: PathName, context: Context) -> Response:
    """One recipe, in the form that submissions are checked against."""
    with context.database.read() as tx:
        offered = catalogs.offered_recipe(tx, name)
    return conditional(request, _shown(offered.form, offered.workers))


@router.get(
    "/recipes/{name}/size", response_model=ArchitectureSize, responses=UNCHANGED | refusals(404)
)
def size(
    request: Request,
    name: PathName,
    context: Context,
    blocks: _Blocks,
    channels: _Channels = None,
    space: _Space = None,
    image_size: _ImageSize = 224,
    classes: _Classes = 1000,
) -> Response:
    """How large the network of an architecture is, and the variant by which a job names it.

    `channels` left out is the published width at every place. `space` is one of the recipe's
    `search_spaces`, where the number of blocks does not tell which.
    """
    with context.database.read() as tx:
        recipe = catalogs.offered_recipe(tx, name).form.recipe
    architecture = Architecture.of(blocks, channels, space)
    return conditional(request, json_of(size_of(recipe, architecture, image_size, classes)))


@router.get("/datasets", response_model=Page[DatasetInfo], responses=UNCHANGED)
def datasets(request: Request, context: Context) -> Response:
    """The data sets that workers have by name."""
    with context.database.read() as tx:
        return listed(request, catalogs.datasets(tx))


@lru_cache(maxsize=256)
def _shown(form: RecipeForm, workers: int) -> bytes:
    # A form never changes, and to write one takes a millisecond.
    recipe = form.recipe
    shown = {
        "object": "recipe",
        "name": recipe.name,
        "description": recipe.title,
        "variants": recipe.variants,
        "sizes": {variant: size.model_dump() for variant, size in recipe.sizes.items()},
        "recalibrates_batch_norm": recipe.recalibrates_batch_norm,
        "defaults": defaults_of(recipe),
        "schema": recipe.parameters,
        "package": recipe.package,
        "source": recipe.source,
        "search_space": None if recipe.search_space is None else recipe.search_space.model_dump(),
        "search_spaces": [space.model_dump() for space in recipe.search_spaces],
        "path_space": recipe.path_space,
        "path_recipe": recipe.path_recipe,
        "digest": form.digest,
        "workers": workers,
    }
    return json.dumps(shown, allow_nan=False).encode()
