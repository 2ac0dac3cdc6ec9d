"""The routes of jobs."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import FileResponse
from starlette.concurrency import run_in_threadpool

from service.api.dependencies import By, Context, VolumeLookup
from service.api.downloads import download
from service.api.job_pages import JobPages, PageOfJobs
from service.api.job_queries import JobQuery
from service.api.parameters import (
    Flag,
    IdempotencyKey,
    Limit,
    Past,
    PathId,
    PathName,
    SamplePoints,
    Since,
    Whole,
)
from service.api.refusals import a_file, refusals
from service.api.responses import (
    UNCHANGED,
    Page,
    conditional,
    is_current,
    job_etag,
    job_made,
    listed,
    not_modified,
    series_etag,
)
from service.context import AppContext
from service.contract.checkpoints import Checkpoint
from service.contract.hints import Explanation
from service.contract.jobs import Attempt, Event, Job
from service.contract.model_json import json_of
from service.contract.request_ids import REQUEST_ID
from service.contract.request_origin import ORIGIN
from service.contract.samples import JobSamples
from service.contract.specs import AnySpec, SubmittedSpec
from service.contract.submissions import Submission
from service.contract.traces import TRACEPARENT
from service.control.checkpoints import index
from service.control.jobs import artifacts, history, submission, views
from service.control.jobs import samples as job_samples
from service.control.jobs.grouped_submissions import SubmissionRequest
from service.control.jobs.history import Series
from service.domain.errors import Unprocessable

router = APIRouter(prefix="/jobs", tags=["jobs"])

MetricNames = Annotated[str | None, Query(pattern=r"^[^\x00]+$", max_length=8192)]
_OF_ONE = UNCHANGED | refusals(404)
_NOT_NEW = (
    "The same submission came before; with `validate_only`, the completed specification, and with "
    "`explain` an explanation of it"
)


@router.post(
    "",
    status_code=201,
    response_model=Job,
    responses={
        200: {"model": Job | SubmittedSpec | Explanation, "description": _NOT_NEW},
        **refusals(410),
    },
)
async def submit(
    body: Submission,
    context: Context,
    by: By,
    key: IdempotencyKey = None,
    validate_only: Flag = False,
    explain: Flag = False,
) -> Response:
    """Queue a job. The same Idempotency-Key and body give the same job again.

    With `validate_only` nothing is stored: the answer is the specification with every default.
    With `explain`, too, it has that as `spec`, and `hints`: what is known of the data and of the
    checkpoint, how many steps an epoch has, what learning rate goes with the batch.
    """
    # Most submissions do not come here: `JobSubmissions` answers those that are valid.
    if explain and not validate_only:
        message = "explain goes with validate_only=true, by which no job is submitted"
        raise Unprocessable("explain_alone", message, "/explain")
    if validate_only:
        return await run_in_threadpool(_explained if explain else _completed, context, body.root)
    job_id, request_id = context.new_id("job"), REQUEST_ID.get()
    of_request = (request_id, TRACEPARENT.get(), by, ORIGIN.get())
    asked = SubmissionRequest(body.root, key, job_id, context.now(), *of_request)
    submitted = await context.submissions.reply(asked)
    return job_made(submitted.job, replayed=submitted.replayed)


@router.get("", response_model=PageOfJobs, responses=UNCHANGED)
async def page(request: Request, query: Annotated[JobQuery, Query()], by: By) -> Response:
    """Jobs to which everything that is given applies, newest first.

    `state`, `kind` and `label` may be there several times: a job has one of the states and kinds,
    and every label (`key:value`). `q` is a part of its name, its id or a label, in upper or lower
    case. `param.NAME=VALUE` is a parameter of its specification, such as `param.learning_rate=0.5`.
    `submitted_by` is the name of a token.
    `order_by` is `created_at`, `duration`, `priority` or `metrics.NAME`, with `-` before it for the
    highest first; jobs without the value come last. `fields` is a comma-separated choice of the
    fields of a job. `after` is the `next` of the page before.

    The paths that a search was given to measure are left out, as `left_out` of the job says:
    `GET /jobs/{job_id}` has them.
    """
    pages: JobPages = request.app.state.job_pages
    drawn = await pages.reply((query.page_request, by.reader))
    return conditional(request, drawn.body, drawn.etag)


@router.get("/{job_id}", response_model=Job, responses=_OF_ONE)
def get(
    request: Request, job_id: PathId, context: Context, by: By, short: Flag = False
) -> Response:
    """One job; polls with `If-None-Match` are answered 304 until it changes.

    With `short` it is as a list has it: without what `left_out` names, which may be long.
    Polls of a running job do not come here: `JobPolls` answers them from its row alone.
    """
    with context.database.read() as tx:
        view = views.short_view(tx, job_id) if short else views.view(tx, job_id)
    return conditional(request, view.json_for(by.reader), job_etag(view.job, by.reader))


@router.get("/{job_id}/attempts", response_model=Page[Attempt], responses=_OF_ONE)
def attempts(request: Request, job_id: PathId, context: Context) -> Response:
    """Every try of the job, oldest first."""
    with context.database.read() as tx:
        return listed(request, history.attempts(tx, job_id))


@router.get("/{job_id}/events", response_model=Page[Event], responses=_OF_ONE)
def events(
    request: Request, job_id: PathId, context: Context, after: Past = 0, limit: Limit = 100
) -> Response:
    """What happened to the job, oldest first."""
    with context.database.read() as tx:
        page_of_events, has_more = history.events(tx, job_id, after, limit)
    return listed(request, page_of_events, has_more=has_more, key="number")


@router.get("/{job_id}/checkpoints", response_model=Page[Checkpoint], responses=_OF_ONE)
def of_job(request: Request, job_id: PathId, context: Context) -> Response:
    """Every checkpoint of the job, newest first."""
    with context.database.read() as tx:
        return listed(request, index.of_job(tx, job_id))


@router.get("/{job_id}/metrics", response_model=Series, responses=_OF_ONE)
def metrics(
    request: Request,
    job_id: PathId,
    context: Context,
    names: MetricNames = None,
    since_step: Past = 0,
    max_points: Annotated[int, Query(ge=2, le=10_000), Whole] = 1000,
) -> Response:
    """By name the [step, value] pairs; `names` is a comma-separated choice."""
    chosen = names.split(",") if names else None
    with context.database.read() as tx:
        # Whatever a job measures changes its version: a poll need not read the points.
        version = history.version(tx, job_id)
        etag = series_etag(version, names, since_step, max_points)
        if is_current(request, etag):
            return not_modified(etag)
        series = history.series(tx, job_id, chosen, since_step, max_points)
    return conditional(request, json_of(series), etag)


@router.get("/{job_id}/samples", response_model=JobSamples, responses=_OF_ONE)
def samples(
    request: Request,
    job_id: PathId,
    context: Context,
    since: Since = None,
    max_points: SamplePoints = 300,
) -> Response:
    """The use of the hosts and GPUs of the job's last 20 attempts while they ran, for seven days.

    Of a series with more than `max_points` the lowest and the highest value of each part are kept.
    """
    with context.database.read() as tx:
        series = job_samples.of_job(tx, job_id, since, max_points, context.now())
    return conditional(request, json_of(series))


@router.get(
    "/{job_id}/files/{name}",
    response_class=FileResponse,
    responses=a_file(),
    dependencies=[VolumeLookup],
)
def file(request: Request, job_id: PathId, name: PathName, context: Context) -> Response:
    """A file that the job's result names."""
    with context.database.read() as tx:
        job = views.stored(tx, job_id).job
    return download(request, context, artifacts.file_of(job, name, context.volume))


def _completed(context: AppContext, spec: AnySpec) -> Response:
    with context.database.read() as tx:
        completed = submission.complete(tx, spec)
    return Response(completed.model_dump_json(), media_type="application/json")


def _explained(context: AppContext, spec: AnySpec) -> Response:
    with context.database.read() as tx:
        explanation = submission.explain(tx, spec)
    return Response(json_of(explanation), media_type="application/json")
