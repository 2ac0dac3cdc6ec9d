"""The route of where a job comes from, and of which jobs came of it."""

from fastapi import APIRouter, Request, Response

from service.api.dependencies import Context
from service.api.parameters import PathId
from service.api.refusals import refusals
from service.api.responses import UNCHANGED, conditional
from service.contract.job_lineage import JobLineage
from service.contract.model_json import json_of
from service.control.jobs import lineage

router = APIRouter(prefix="/jobs", tags=["jobs"])


@router.get("/{job_id}/lineage", response_model=JobLineage, responses=UNCHANGED | refusals(404))
def show_lineage(request: Request, job_id: PathId, context: Context) -> Response:
    """The job that it retries, the checkpoint that it starts from, and the jobs that came of it."""
    with context.database.read() as tx:
        entries = lineage.of(tx, job_id)
    return conditional(request, json_of(entries))
