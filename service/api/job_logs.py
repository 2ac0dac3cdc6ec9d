"""The routes of the logs of jobs."""

from typing import Annotated, Any

from fastapi import APIRouter, Query
from fastapi.responses import PlainTextResponse, StreamingResponse

from service.api.dependencies import Context, VolumeLookup
from service.api.parameters import PathId, Whole
from service.api.refusals import refusals
from service.control.jobs import history, logs

router = APIRouter(prefix="/jobs", tags=["jobs"])

AttemptNumber = Annotated[int | None, Query(ge=1, le=2**31 - 1), Whole]
_MOST_BYTES = 1_048_576


@router.get("/{job_id}/logs", responses=refusals(404), dependencies=[VolumeLookup])
def log(
    job_id: PathId,
    context: Context,
    attempt: AttemptNumber = None,
    cursor: Annotated[int, Query(ge=0), Whole] = 0,
    limit_bytes: Annotated[int, Query(ge=1024, le=_MOST_BYTES), Whole] = 262_144,
    tail_bytes: Annotated[int | None, Query(ge=1, le=_MOST_BYTES), Whole] = None,
) -> dict[str, Any]:
    """A part of an attempt's log (the last one's by default); go on at `cursor`.

    With `tail_bytes` it begins with the last lines that fit, at `start`, instead of at `cursor`.
    `times` has [line of the text, time] pairs: when that line and those after it were written.
    """
    with context.database.read() as tx:
        number = history.logged_attempt(tx, job_id, attempt)
    if tail_bytes is not None:
        cursor = logs.tail_cursor(context.volume, job_id, number, tail_bytes)
    part = logs.read(context.volume, job_id, number, cursor, limit_bytes)
    body: dict[str, Any] = {"text": part.text, "cursor": str(part.cursor), "end": part.end}
    if tail_bytes is not None:
        body["start"] = cursor
    if part.times:
        body["times"] = part.times
    return body


@router.get(
    "/{job_id}/log.txt",
    response_class=PlainTextResponse,
    responses=refusals(404),
    dependencies=[VolumeLookup],
)
def download_log(
    job_id: PathId, context: Context, attempt: AttemptNumber = None
) -> StreamingResponse:
    """The whole log of an attempt (the last one's by default) as a text file."""
    with context.database.read() as tx:
        number = history.logged_attempt(tx, job_id, attempt)
    parts = logs.text_parts(context.volume, job_id, number)
    headers = {"Content-Disposition": f'attachment; filename="{job_id}-{number}.log"'}
    return StreamingResponse(parts, media_type="text/plain; charset=utf-8", headers=headers)
