"""The routes of what can be asked for: recipes and data sets."""

import json
from functools import lru_cache

from fastapi import APIRouter, Request, Response

from service.api.dependencies import Context
from service.api.parameters import PathName
from service.api.refusals import refusals
from service.api.responses import UNCHANGED, Page, conditional, list_json, listed
from service.contract.catalog import DatasetInfo
from service.control.scheduling import catalogs
from service.domain.offers import RecipeForm
from service.domain.parameters import defaults_of

router = APIRouter(tags=["catalog"])


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
        "digest": form.digest,
        "workers": workers,
    }
    return json.dumps(shown, allow_nan=False).encode()
