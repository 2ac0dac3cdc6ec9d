"""The routes of checkpoints."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import FileResponse

from service.api.answers import Page, conditional, is_current, listed, not_modified, sha256_headers
from service.api.deps import TheYard
from service.contract.checkpoints import Checkpoint
from service.control import checkpoints
from service.store.checkpoints import CheckpointFilter

router = APIRouter(prefix="/checkpoints", tags=["checkpoints"])


@router.get("", response_model=Page[Checkpoint])
def page(
    request: Request,
    yard: TheYard,
    job: str | None = None,
    recipe: str | None = None,
    variant: str | None = None,
    after: str | None = None,
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
) -> Response:
    """Checkpoints, newest first."""
    wanted = CheckpointFilter(job, recipe, variant, after, limit)
    with yard.database.read() as tx:
        found, has_more = checkpoints.page(tx, wanted)
    return listed(request, found, has_more=has_more)


@router.get("/latest", response_model=Checkpoint)
def latest(
    request: Request,
    yard: TheYard,
    job: str | None = None,
    recipe: str | None = None,
    variant: str | None = None,
) -> Response:
    """The newest published checkpoint: of a job the highest step, over jobs the last created."""
    with yard.database.read() as tx:
        found = checkpoints.latest(tx, CheckpointFilter(job, recipe, variant))
    return conditional(request, found.model_dump_json())


@router.get("/{checkpoint_id}", response_model=Checkpoint)
def get(request: Request, checkpoint_id: str, yard: TheYard) -> Response:
    """One checkpoint with its manifest."""
    with yard.database.read() as tx:
        found = checkpoints.get(tx, checkpoint_id)
    return conditional(request, found.model_dump_json())


@router.get("/{checkpoint_id}/files/{name}", response_class=FileResponse)
def file(request: Request, checkpoint_id: str, name: str, yard: TheYard) -> Response:
    """The bytes of a file; ranges work, and the ETag is its sha256."""
    with yard.database.read() as tx:
        path, digest = checkpoints.file_of(tx, checkpoint_id, name, yard.settings.volume)
    headers = sha256_headers(digest)
    if is_current(request, headers["ETag"]):
        return not_modified(headers["ETag"])
    return FileResponse(path, filename=f"{checkpoint_id}-{name}", headers=headers)
