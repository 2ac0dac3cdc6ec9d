"""The routes that change the course of a job: cancel, pause, resume, retry, edit, delete."""

import re
from typing import Annotated, Literal

from fastapi import APIRouter, Header, Response
from pydantic import BaseModel, ConfigDict
from sqlalchemy.exc import IntegrityError

from service.api.dependencies import By, Context, VolumeScan
from service.api.parameters import IdempotencyKey, PathId
from service.api.refusals import Responses, refusals
from service.api.responses import job_etag, job_made
from service.context import AppContext
from service.contract.changes import JobEdit, RetryRequest
from service.contract.jobs import Job
from service.contract.model_json import json_of
from service.control.checkpoints.gc import Collector
from service.control.jobs import actions, edits, retries, views
from service.domain.access import Caller
from service.domain.errors import Stale

router = APIRouter(prefix="/jobs", tags=["jobs"], responses=refusals(404, 409))

_ASKED_BEFORE: Responses = {200: {"model": Job, "description": "It was asked before"}}
_TAG = re.compile(r'^(?:W/)?"(\d{1,18})(?:-[^"]*)?"$')


class Cancel(BaseModel):
    """How to cancel: `graceful` saves a checkpoint first, `now` does not."""

    model_config = ConfigDict(extra="forbid")

    mode: Literal["graceful", "now"] = "graceful"


@router.post("/{job_id}/cancel", status_code=202, response_model=Job, responses=_ASKED_BEFORE)
def cancel(job_id: PathId, context: Context, by: By, how: Cancel | None = None) -> Response:
    """End a queued job at once, ask a running one to stop; 200 if that was asked before."""
    mode = how.mode if how is not None else "graceful"
    with context.database.write() as tx:
        new = actions.cancel(tx, job_id, mode=mode, now=context.now(), by=by)
        job = views.get(tx, job_id)
    return _changed(context, job, 202 if new else 200)


@router.post("/{job_id}/pause", status_code=202, response_model=Job, responses=_ASKED_BEFORE)
def pause(job_id: PathId, context: Context, by: By) -> Response:
    """Have it save a checkpoint and stop until it is resumed; 200 if that was asked before."""
    with context.database.write() as tx:
        new = actions.pause(tx, job_id, context.now(), by)
        job = views.get(tx, job_id)
    return _changed(context, job, 202 if new else 200)


@router.post("/{job_id}/resume", status_code=202, response_model=Job)
def resume(job_id: PathId, context: Context, by: By) -> Response:
    """Put a paused job back in the queue, to go on from its last checkpoint.

    One that is still pausing runs on.
    """
    with context.database.write() as tx:
        actions.resume(tx, job_id, context.now(), by)
        job = views.get(tx, job_id)
    return _changed(context, job, 202)


@router.post(
    "/{job_id}/retry",
    status_code=201,
    response_model=Job,
    responses={200: {"model": Job, "description": "The same retry came before"}, **refusals(410)},
)
def retry(
    job_id: PathId,
    context: Context,
    by: By,
    how: RetryRequest | None = None,
    key: IdempotencyKey = None,
) -> Response:
    """Queue a failed or cancelled job again, as a new one that names it as its parent."""
    how = how or RetryRequest()
    try:
        job, replayed = _retry(context, job_id, how, key, by)
    except IntegrityError:
        # A concurrent call with the same key was faster: now its job is found.
        job, replayed = _retry(context, job_id, how, key, by)
    context.notifier.notify()
    return job_made(job, replayed=replayed)


@router.patch("/{job_id}", response_model=Job, responses=refusals(412))
def edit(
    job_id: PathId,
    body: JobEdit,
    context: Context,
    by: By,
    if_match: Annotated[str | None, Header()] = None,
) -> Response:
    """Change name, labels, priority; with `If-Match` only if nothing else has changed."""
    versions = _versions(job_id, if_match)
    with context.database.write() as tx:
        edits.edit(tx, job_id, body, versions=versions, now=context.now(), by=by)
        job = views.get(tx, job_id)
    context.notifier.notify()
    headers = {"ETag": job_etag(job)}
    return Response(json_of(job), headers=headers, media_type="application/json")


@router.delete("/{job_id}", status_code=204, dependencies=[VolumeScan])
def delete(job_id: PathId, context: Context, by: By) -> None:
    """Delete a finished job, its logs and files; its pinned and tagged checkpoints stay."""
    with context.database.write() as tx:
        edits.delete(tx, job_id, by)
    Collector(context.database, context.volume, context.now()).finish_job(job_id)


def _changed(context: AppContext, job: Job, status: int) -> Response:
    # Drawn by the transaction that changed it: after that, somebody may delete it at any time.
    context.notifier.notify()
    return Response(json_of(job), status, media_type="application/json")


def _retry(
    context: AppContext, job_id: str, how: RetryRequest, key: str | None, by: Caller
) -> tuple[Job, bool]:
    """The new job, and whether an earlier call with the same key made it."""
    with context.database.write() as tx:
        result = retries.retry(
            tx,
            job_id,
            how.origin,
            how.resources,
            new_id=context.new_id("job"),
            key=key,
            now=context.now(),
            by=by,
        )
        return views.get(tx, result.job_id), result.replayed


def _versions(job_id: str, if_match: str | None) -> frozenset[int] | None:
    # What a queued job waits for is in its ETag, and is none of what a writer must have seen.
    if if_match is None or if_match.strip() == "*":
        return None
    tags = (_TAG.match(tag.strip()) for tag in if_match.split(","))
    versions = frozenset(int(tag[1]) for tag in tags if tag is not None)
    if not versions:
        raise Stale("stale", f"If-Match is no ETag of {job_id}: read the job, and send its ETag")
    return versions
