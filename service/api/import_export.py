"""The routes of imports and exports: each is a job, and the call waits a while for its end."""

import asyncio
from urllib.parse import urlencode

from fastapi import APIRouter, Request, Response
from fastapi.responses import FileResponse
from pydantic import BaseModel, ConfigDict
from sqlalchemy.exc import IntegrityError
from starlette.concurrency import run_in_threadpool

from service.api.dependencies import By, Context, OpenRequest
from service.api.downloads import download
from service.api.errors import problem
from service.api.parameters import Flag, IdempotencyKey, PathId, Wait
from service.api.refusals import a_file, refusals
from service.context import AppContext
from service.contract.checkpoints import Checkpoint
from service.contract.exchange import ExportFormat, ExportRequest, ImportRequest
from service.contract.jobs import ENDED_JOBS, Job, JobState
from service.contract.json_types import Boolean
from service.control.jobs import import_export, views
from service.control.jobs.import_export import ExportState
from service.control.jobs.submission import SubmissionResult
from service.domain.access import Caller
from service.domain.errors import NotFound

router = APIRouter(prefix="/checkpoints", tags=["checkpoints"])

_POLL_SECONDS = 0.5


@router.post(
    "/import",
    status_code=201,
    response_model=Checkpoint,
    responses={202: {"model": Job, "description": "Still being imported"}, **refusals(410)},
    dependencies=[OpenRequest],
)
async def import_(
    request: Request,
    body: ImportRequest,
    context: Context,
    by: By,
    key: IdempotencyKey = None,
    wait_seconds: Wait = 20.0,
) -> Response:
    """Import a file below the import root; 202 and the job if that takes longer."""
    job_id = await run_in_threadpool(_submit_import, context, body, key, by)
    job = await _wait_for_end(context, job_id, wait_seconds)
    if job.state not in ENDED_JOBS:
        return _later(job, f"/jobs/{job.id}")
    if job.state is not JobState.SUCCEEDED:
        return _failed(request, job, 422)
    checkpoint = await run_in_threadpool(_read_imported, context, job)
    headers = {"Location": f"/checkpoints/{checkpoint.id}"}
    return Response(checkpoint.model_dump_json(), 201, headers, media_type="application/json")


class ExportForm(BaseModel):
    """How to export a checkpoint."""

    model_config = ConfigDict(extra="forbid")

    format: ExportFormat = "pth.tar"
    module_prefix: Boolean = False


@router.post(
    "/{checkpoint_id}/export",
    status_code=202,
    response_model=Job,
    responses=refusals(404, 409, 410),
)
async def start_export(
    checkpoint_id: PathId, form: ExportForm, context: Context, by: By
) -> Response:
    """Queue the job that makes the export, or give the earlier one: its result names the file."""
    export_request = ExportRequest(checkpoint=checkpoint_id, **form.model_dump())
    async with context.volume_limiter.lookups.acquire():
        job = await run_in_threadpool(_find_or_submit, context, export_request, by)
    headers = {"Location": f"/jobs/{job.id}"}
    return Response(job.model_dump_json(), 202, headers, media_type="application/json")


@router.get(
    "/{checkpoint_id}/export",
    response_class=FileResponse,
    responses={202: {"model": Job, "description": "Still being made: ask again"}, **a_file(409)},
    dependencies=[OpenRequest],
)
async def export(
    request: Request,
    checkpoint_id: PathId,
    context: Context,
    format: ExportFormat = "pth.tar",
    module_prefix: Flag = False,
    wait_seconds: Wait = 20.0,
) -> Response:
    """The export that a POST of the same has had made, as one file for another program."""
    export_request = ExportRequest(
        checkpoint=checkpoint_id, format=format, module_prefix=module_prefix
    )
    query = urlencode({"format": format, "module_prefix": module_prefix})
    location = f"/checkpoints/{checkpoint_id}/export?{query}"
    state = await _find(context, export_request)
    if state.file is None:
        job = await _wait_for_end(context, state.job.id, wait_seconds)
        if job.state not in ENDED_JOBS:
            return _later(job, location)
        if job.state is not JobState.SUCCEEDED:
            return _failed(request, job, 409)
        state = await _find(context, export_request)
    if state.file is None:
        # The file is gone since, and another job makes it again.
        return _later(state.job, location)
    return download(request, context, state.file)


async def _wait_for_end(context: AppContext, job_id: str, wait_seconds: float) -> Job:
    loop = asyncio.get_running_loop()
    deadline = loop.time() + wait_seconds
    job = await run_in_threadpool(_read_job, context, job_id)
    while job.state not in ENDED_JOBS and not context.notifier.closed:
        left = deadline - loop.time()
        if left <= 0:
            break
        seen = context.notifier.count
        await context.notifier.wait(seen, min(left, _POLL_SECONDS))
        job = await run_in_threadpool(_read_job, context, job_id)
    return job


def _read_job(context: AppContext, job_id: str) -> Job:
    with context.database.read() as tx:
        return views.get(tx, job_id)


def _submit_import(context: AppContext, request: ImportRequest, key: str | None, by: Caller) -> str:
    try:
        result = _submit(context, request, key, by)
    except IntegrityError:
        # A concurrent call with the same key was faster: now its job is found.
        result = _submit(context, request, key, by)
    context.notifier.notify()
    return result.job_id


def _submit(
    context: AppContext, request: ImportRequest, key: str | None, by: Caller
) -> SubmissionResult:
    with context.database.write() as tx:
        return import_export.submit_import(
            tx, request, job_id=context.new_id("job"), key=key, now=context.now(), by=by
        )


def _read_imported(context: AppContext, job: Job) -> Checkpoint:
    with context.database.read() as tx:
        return import_export.imported(tx, job)


async def _find(context: AppContext, export_request: ExportRequest) -> ExportState:
    async with context.volume_limiter.lookups.acquire():
        state = await run_in_threadpool(_earlier_state, context, export_request, set())
    if state is None:
        form = export_request.format
        message = f"{export_request.checkpoint} is not exported as {form}: POST to have it made"
        raise NotFound("no_export", message)
    return state


def _find_or_submit(context: AppContext, export_request: ExportRequest, by: Caller) -> Job:
    without_file: set[str] = set()
    state = _earlier_state(context, export_request, without_file)
    if state is not None:
        return state.job
    with context.database.write() as tx:
        # A concurrent call may have submitted the same.
        earlier = import_export.earlier_export(tx, export_request, besides=without_file)
        job_id = context.new_id("job") if earlier is None else earlier.id
        if earlier is None:
            import_export.submit_export(tx, export_request, job_id=job_id, now=context.now(), by=by)
        job = views.get(tx, job_id)
    context.notifier.notify()
    return job


def _earlier_state(
    context: AppContext, export_request: ExportRequest, without_file: set[str]
) -> ExportState | None:
    # Files are looked for outside of any transaction: the volume may hang, others may not.
    while True:
        with context.database.read() as tx:
            job = import_export.earlier_export(tx, export_request, besides=without_file)
        if job is None:
            return None
        try:
            return import_export.export_state(job, context.volume)
        except NotFound:
            without_file.add(job.id)


def _later(job: Job, location: str) -> Response:
    headers = {"Location": location, "Retry-After": "2"}
    return Response(job.model_dump_json(), 202, headers, media_type="application/json")


def _failed(request: Request, job: Job, status: int) -> Response:
    code = (job.result or {}).get("code") or job.reason or job.state
    detail = job.message or f"{job.id} has {job.state}"
    return problem(request, status, str(code), detail)
