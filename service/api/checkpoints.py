"""The routes of checkpoints."""

from dataclasses import replace
from typing import Literal

from fastapi import APIRouter, Request, Response
from fastapi.responses import FileResponse

from service.api.checkpoint_queries import AskedCheckpoints
from service.api.dependencies import By, Context, VolumeLookup, VolumeScan
from service.api.downloads import download
from service.api.parameters import Flag, IdFilter, Limit, PathId, PathName, VariantFilter
from service.api.refusals import a_file, refusals
from service.api.responses import UNCHANGED, Page, conditional, listed
from service.contract.checkpoint_lineage import Lineage
from service.contract.checkpoints import (
    Checkpoint,
    CheckpointChange,
    Measured,
    without_manifest,
)
from service.contract.model_json import json_of
from service.control.checkpoints import index, lineage
from service.control.checkpoints.available_actions import with_actions
from service.control.checkpoints.gc import Collector
from service.store.checkpoint_search import CheckpointFilter

router = APIRouter(prefix="/checkpoints", tags=["checkpoints"])

_OF_ONE = UNCHANGED | refusals(404)


@router.get("", response_model=Page[Checkpoint], responses=UNCHANGED)
def page(
    request: Request,
    context: Context,
    asked: AskedCheckpoints,
    after: IdFilter = None,
    limit: Limit = 20,
    manifest: Flag = True,
) -> Response:
    """Checkpoints, newest first; by a metric only those that were measured.

    `retained` is whether the folder is kept, as of a published or a damaged one. With
    `manifest=false` they come without their manifests, which may have a thousand class names each.
    """
    with context.database.read() as tx:
        checkpoints, has_more = index.page(tx, replace(asked, after=after, limit=limit))
    shown = checkpoints if manifest else [without_manifest(each) for each in checkpoints]
    return listed(request, shown, has_more=has_more)


@router.get("/latest", response_model=Checkpoint, responses=_OF_ONE)
def latest(
    request: Request,
    context: Context,
    job: IdFilter = None,
    recipe: IdFilter = None,
    variant: VariantFilter = None,
) -> Response:
    """The newest published checkpoint: of a job the highest step, over jobs the last created."""
    with context.database.read() as tx:
        checkpoint = index.latest(tx, CheckpointFilter(job, recipe, variant))
    return conditional(request, json_of(checkpoint))


@router.get("/best", response_model=Checkpoint, responses=_OF_ONE)
def best(
    request: Request,
    context: Context,
    metric: Measured = "top1_error",
    mode: Literal["min", "max"] = "min",
    job: IdFilter = None,
    recipe: IdFilter = None,
    variant: VariantFilter = None,
) -> Response:
    """The published checkpoint with the lowest (or highest) value; of equal ones the newest."""
    filters = CheckpointFilter(job, recipe, variant)
    with context.database.read() as tx:
        checkpoint = index.best(tx, filters, metric, highest=mode == "max")
    return conditional(request, json_of(checkpoint))


@router.get("/{checkpoint_id}", response_model=Checkpoint, responses=_OF_ONE)
def get(request: Request, checkpoint_id: PathId, context: Context, by: By) -> Response:
    """One checkpoint with its manifest, and what may be made of it."""
    with context.database.read() as tx:
        checkpoint = with_actions(tx, index.get(tx, checkpoint_id), by)
    return conditional(request, json_of(checkpoint))


@router.patch("/{checkpoint_id}", response_model=Checkpoint, responses=refusals(404, 409))
def change(checkpoint_id: PathId, body: CheckpointChange, context: Context, by: By) -> Response:
    """Pin and tag, so that retention leaves it."""
    with context.database.write() as tx:
        index.change(tx, checkpoint_id, body, by)
    with context.database.read() as tx:
        checkpoint = with_actions(tx, index.get(tx, checkpoint_id))
    return Response(json_of(checkpoint), media_type="application/json")


@router.delete(
    "/{checkpoint_id}", status_code=204, responses=refusals(404, 409), dependencies=[VolumeScan]
)
def delete(checkpoint_id: PathId, context: Context, by: By) -> None:
    """Delete the checkpoint with its folder; a second time changes nothing."""
    with context.database.write() as tx:
        deleting = index.request_delete(tx, checkpoint_id, by)
    if deleting is not None:
        Collector(context.database, context.volume, context.now()).delete(deleting)


@router.get("/{checkpoint_id}/lineage", response_model=Lineage, responses=_OF_ONE)
def show_lineage(request: Request, checkpoint_id: PathId, context: Context) -> Response:
    """Where it comes from, to the root, and what went on from it."""
    with context.database.read() as tx:
        entries = lineage.of(tx, checkpoint_id)
    return conditional(request, json_of(entries))


@router.get(
    "/{checkpoint_id}/files/{name}",
    response_class=FileResponse,
    responses=a_file(),
    dependencies=[VolumeLookup],
)
def file(request: Request, checkpoint_id: PathId, name: PathName, context: Context) -> Response:
    """The bytes of a file; ranges work, and the ETag is its sha256."""
    with context.database.read() as tx:
        checkpoint = index.get(tx, checkpoint_id)
    return download(request, context, index.file_of(checkpoint, name, context.volume))
