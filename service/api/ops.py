"""The routes of operators, and what can be asked for: recipes and data sets."""

import json
import os
from importlib.metadata import version
from typing import Any

from fastapi import APIRouter, Request, Response
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from service.api.dependencies import Context, VolumeLookup
from service.api.errors import problem
from service.api.responses import conditional, listed
from service.contract.datasets import DATASETS
from service.contract.networks import NETWORK_SIZES
from service.contract.recipes import PARAMS, RECALIBRATED, VARIANTS

router = APIRouter(tags=["ops"])

VERSION = version("trainyard-service")


@router.get("/healthz")
def healthz() -> dict[str, str]:
    """The process answers."""
    return {"status": "ok"}


@router.get("/readyz", dependencies=[VolumeLookup])
def readyz(request: Request, context: Context) -> Response:
    """The database answers and the volume can be written; 503 otherwise."""
    try:
        with context.database.read() as tx:
            tx.execute(text("SELECT 1"))
    except SQLAlchemyError:
        return _not_ready(request, "the database does not answer")
    if not os.access(context.settings.volume, os.W_OK | os.X_OK):
        return _not_ready(request, f"the volume {context.settings.volume} cannot be written")
    return Response('{"status":"ready"}', media_type="application/json")


@router.get("/version")
def which_version() -> dict[str, str]:
    """The version of the server."""
    return {"version": VERSION}


@router.get("/recipes")
def recipes(request: Request) -> Response:
    """Each recipe: variants with their sizes, the published defaults, the parameters' schema."""
    body = {"object": "list", "data": [_recipe(name) for name in PARAMS], "has_more": False}
    return conditional(request, json.dumps(body))


@router.get("/datasets")
def datasets(request: Request) -> Response:
    """The data sets that every worker has."""
    return listed(request, list(DATASETS.values()))


def _recipe(name: str) -> dict[str, Any]:
    params = PARAMS[name]
    return {
        "object": "recipe",
        "name": name,
        "description": (params.__doc__ or "").strip(),
        "variants": VARIANTS[name],
        "sizes": {variant: size._asdict() for variant, size in NETWORK_SIZES[name].items()},
        "recalibrates_batch_norm": name in RECALIBRATED,
        "defaults": params().model_dump(),
        "schema": params.model_json_schema(),
    }


def _not_ready(request: Request, detail: str) -> Response:
    return problem(request, 503, "not_ready", detail, headers={"Retry-After": "2"})
