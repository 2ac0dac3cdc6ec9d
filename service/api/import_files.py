"""The route of the files that can be imported."""

from fastapi import APIRouter, Request, Response

from service.api.dependencies import Context, VolumeScan
from service.api.responses import UNCHANGED, conditional
from service.contract.import_files import ImportFiles
from service.contract.model_json import json_of
from service.volume.import_folder import import_files

router = APIRouter(tags=["checkpoints"])


@router.get("/imports", response_model=ImportFiles, responses=UNCHANGED, dependencies=[VolumeScan])
def files(request: Request, context: Context) -> Response:
    """The files below the server's import root, the newest first; workers may have others."""
    return conditional(request, json_of(import_files(context.settings.import_root)))
