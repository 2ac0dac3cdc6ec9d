"""The routes of what can be asked for: recipes and data sets."""

import json
from typing import Any

from fastapi import APIRouter, Request, Response

from service.api.dependencies import Context
from service.api.parameters import PathName
from service.api.refusals import refusals
from service.api.responses import UNCHANGED, Page, conditional, listed
from service.contract.catalog import DatasetInfo
from service.control.scheduling import catalogs
from service.control.scheduling.catalogs import OfferedRecipe
from service.domain.parameters import defaults_of

router = APIRouter(tags=["catalog"])


@router.get("/recipes", responses=UNCHANGED)
def recipes(request: Request, context: Context) -> Response:
    """Each recipe: variants with their sizes, the published defaults, the parameters' schema."""
    with context.database.read() as tx:
        offered = catalogs.offered_recipes(tx)
    body = {"object": "list", "data": [_shown(each) for each in offered], "has_more": False}
    return conditional(request, json.dumps(body, allow_nan=False))


@router.get("/recipes/{name}", responses=UNCHANGED | refusals(404))
def recipe(request: Request, name: PathName, context: Context) -> Response:
    """One recipe, in the form that submissions are checked against."""
    with context.database.read() as tx:
        offered = catalogs.offered_recipe(tx, name)
    return conditional(request, json.dumps(_shown(offered), allow_nan=False))


@router.get("/datasets", response_model=Page[DatasetInfo], responses=UNCHANGED)
def datasets(request: Request, context: Context) -> Response:
    """The data sets that workers have by name."""
    with context.database.read() as tx:
        return listed(request, catalogs.datasets(tx))


def _shown(offered: OfferedRecipe) -> dict[str, Any]:
    recipe = offered.form.recipe
    return {
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
        "digest": offered.form.digest,
        "workers": offered.workers,
    }
