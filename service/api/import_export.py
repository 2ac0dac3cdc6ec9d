"""The routes of imports and exports: each is a job, and the call waits a while for its end."""

import asyncio
from collections.abc import Callable
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Header, Query, Request, Response
from fastapi.responses import FileResponse
from pydantic import BaseModel, ConfigDict
from starlette.concurrency import run_in_threadpool

from service.api.dependencies import Authorized, Context
from service.api.downloads import download
from service.api.errors import problem
from service.context import AppContext
from service.contract.checkpoints import Checkpoint
from service.contract.exchange import ExportFormat, ExportRequest, ImportRequest
from service.contract.jobs import ENDED_JOBS, Job, JobState
from service.control.jobs import import_export, views
from service.control.jobs.import_export import ExportState
from service.domain.errors import NotFound

router = APIRouter(prefix="/checkpoints", tags=["checkpoints"])

_POLL_SECONDS = 0.5
Wait = Annotated[float, Query(ge=0, le=300)]


@router.post(
    "/import",
    status_code=201,
    response_model=Checkpoint,
    dependencies=[Authorized],
    responses={202: {"model": Job, "description": "Still being imported"}},
)
async def import_(
    request: Request,
    wanted: ImportRequest,
    context: Context,
    key: Annotated[
        str | None, Header(alias="Idempotency-Key", min_length=1, max_length=255)
    ] = None,
    wait_seconds: Wait = 20.0,
) -> Response:
    """Import a file below the import root; 202 and the job if that takes longer."""
    job = await _ended(
        context, await run_in_threadpool(_submit_import, context, wanted, key), wait_seconds
    )
    if job.state not in ENDED_JOBS:
        return _later(job, f"/jobs/{job.id}")
    if job.state is not JobState.SUCCEEDED:
        return _failed(request, job, 422)
    with context.database.read() as tx:
        found = import_export.imported(tx, job)
    headers = {"Location": f"/checkpoints/{found.id}"}
    return Response(found.model_dump_json(), 201, headers, media_type="application/json")


class ExportForm(BaseModel):
    """How to export a checkpoint."""

    model_config = ConfigDict(extra="forbid")

    format: ExportFormat = "pth.tar"
    module_prefix: bool = False


@router.post(
    "/{checkpoint_id}/export", status_code=202, response_model=Job, dependencies=[Authorized]
)
async def start_export(checkpoint_id: str, form: ExportForm, context: Context) -> Response:
    """The job that makes the export, or has made it: its result names the file."""
    wanted = ExportRequest(checkpoint=checkpoint_id, **form.model_dump())
    job = (await _find_or_submit(context, wanted)).job
    headers = {"Location": f"/jobs/{job.id}"}
    return Response(job.model_dump_json(), 202, headers, media_type="application/json")


@router.get(
    "/{checkpoint_id}/export",
    response_class=FileResponse,
    responses={202: {"model": Job, "description": "Still being made: ask again"}},
)
async def export(
    request: Request,
    checkpoint_id: str,
    context: Context,
    format: ExportFormat = "pth.tar",
    module_prefix: bool = False,
    wait_seconds: Wait = 20.0,
) -> Response:
    """The checkpoint as one file for another program; made by a worker the first time."""
    wanted = ExportRequest(checkpoint=checkpoint_id, format=format, module_prefix=module_prefix)
    found = await _find_or_submit(context, wanted)
    if found.file is None:
        job = await _ended(context, found.job, wait_seconds)
        if job.state not in ENDED_JOBS:
            query = urlencode({"format": format, "module_prefix": module_prefix})
            return _later(job, f"/checkpoints/{checkpoint_id}/export?{query}")
        if job.state is not JobState.SUCCEEDED:
            return _failed(request, job, 409)
        found = await _find_or_submit(context, wanted)
    assert found.file is not None
    file = found.file
    return download(request, context.volume_limiter.downloads, file.path, file.name, file.digest)


async def _ended(context: AppContext, job: Job, wait_seconds: float) -> Job:
    loop = asyncio.get_running_loop()
    deadline = loop.time() + wait_seconds
    while job.state not in ENDED_JOBS and not context.notifier.closed:
        left = deadline - loop.time()
        if left <= 0:
            break
        seen = context.notifier.count
        await context.notifier.wait(seen, min(left, _POLL_SECONDS))
        job = await run_in_threadpool(_read, context, lambda tx, i=job.id: views.get(tx, i))
    return job


def _read(context: AppContext, what: Callable[..., Job]) -> Job:
    with context.database.read() as tx:
        return what(tx)


def _submit_import(context: AppContext, wanted: ImportRequest, key: str | None) -> Job:
    with context.database.write() as tx:
        submitted = import_export.submit_import(
            tx, wanted, job_id=context.new_id("job"), key=key, now=context.now()
        )
    context.notifier.notify()
    return submitted.job


async def _find_or_submit(context: AppContext, wanted: ExportRequest) -> ExportState:
    async with context.volume_limiter.lookups.acquire():
        return await run_in_threadpool(_found_or_submitted, context, wanted)


def _found_or_submitted(context: AppContext, wanted: ExportRequest) -> ExportState:
    # Files are looked for outside of any transaction: the volume may hang, others may not.
    fileless: set[str] = set()
    while True:
        job = _asked_before_or_submitted(context, wanted, fileless)
        try:
            return import_export.made_by(job, context.settings.volume)
        except NotFound:
            fileless.add(job.id)


def _asked_before_or_submitted(
    context: AppContext, wanted: ExportRequest, fileless: set[str]
) -> Job:
    with context.database.read() as tx:
        job = import_export.asked_before(tx, wanted, besides=fileless)
    if job is not None:
        return job
    with context.database.write() as tx:
        # Another call may have been here meanwhile.
        job = import_export.asked_before(tx, wanted, besides=fileless)
        if job is not None:
            return job
        submitted = import_export.submit_export(
            tx, wanted, job_id=context.new_id("job"), now=context.now()
        )
    context.notifier.notify()
    return submitted.job


def _later(job: Job, location: str) -> Response:
    headers = {"Location": location, "Retry-After": "2"}
    return Response(job.model_dump_json(), 202, headers, media_type="application/json")


def _failed(request: Request, job: Job, status: int) -> Response:
    code = (job.result or {}).get("code") or job.reason or job.state
    detail = job.message or f"{job.id} has {job.state}"
    return problem(request, status, str(code), detail)
