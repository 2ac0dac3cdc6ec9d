"""Answers that a poller need not read twice: ETags and 304."""

import base64
import hashlib
import json
from collections.abc import Iterable, Sequence
from typing import Annotated, Any, Generic, Literal, TypeVar
from zlib import crc32

from fastapi import Request, Response
from pydantic import BaseModel

from service.contract.checkpoints import FileDigest
from service.contract.fields import IdText
from service.contract.jobs import ENDED_JOBS, Job, JobState
from service.contract.model_json import json_of
from service.contract.text import CutTo
from service.domain.access import SERVER, Caller

Item = TypeVar("Item", bound=BaseModel)
_MOST_LISTED = 100_000
"""Of a list without pages, such as the checkpoints of a job."""


class Page(BaseModel, Generic[Item]):
    """A page of a list; ask for the next with `after=<next>`."""

    object: Literal["list"] = "list"
    data: Annotated[list[Item], CutTo(_MOST_LISTED)]
    has_more: bool = False
    next: IdText | None = None


UNCHANGED: dict[int | str, dict[str, Any]] = {304: {"description": "The caller has it already"}}
"""Of a route that answers a poller, for the OpenAPI document."""


def conditional(request: Request, body: bytes, etag: str | None = None) -> Response:
    """200 with the JSON, or 304 if the caller has it already."""
    etag = etag or body_etag(body)
    if is_current(request, etag):
        return not_modified(etag)
    headers = {"ETag": etag, "Cache-Control": "no-cache"}
    return Response(body, media_type="application/json", headers=headers)


def body_etag(body: bytes) -> str:
    """The ETag of an answer, from all of it."""
    return f'"{hashlib.sha256(body).hexdigest()[:32]}"'


def not_modified(etag: str) -> Response:
    """304: what the caller has is what there is."""
    return Response(status_code=304, headers={"ETag": etag, "Cache-Control": "no-cache"})


def is_current(request: Request, etag: str) -> bool:
    """Whether `If-None-Match` names this ETag."""
    return names_etag(request.headers.get("if-none-match", ""), etag)


def names_etag(if_none_match: str, etag: str) -> bool:
    """Whether the value of an `If-None-Match` names this ETag."""
    tags = (tag.strip().removeprefix("W/") for tag in if_none_match.split(","))
    return if_none_match == "*" or etag in tags


def job_etag(job: Job, reader: Caller = SERVER) -> str:
    """The ETag of a job, from the version of its row, what changes without it, and its reader."""
    return for_reader(_job_etag(job), reader)


def for_reader(etag: str, reader: Caller) -> str:
    """The ETag of what is shown to one reader: a browser may have been somebody else's before."""
    return etag if reader == SERVER else f'{etag[:-1]}-{_crc(f"{reader.role} {reader.name}")}"'


def _job_etag(job: Job) -> str:
    if job.state is JobState.QUEUED:
        return f'"{job.version}-{job.queue_position}-{_crc(job.wait_reason or "")}"'
    if job.state in ENDED_JOBS:
        # What may be done with it depends on checkpoints of other jobs, too.
        actions = json.dumps([each.model_dump() for each in job.actions], allow_nan=False)
        return f'"{job.version}-{_crc(actions)}"'
    return running_job_etag(job.version)


def running_job_etag(version: int) -> str:
    """The ETag of a job that has begun and not ended: its version counts every change."""
    return f'"{version}"'


def series_etag(version: int, names: str | None, since_step: int, max_points: int) -> str:
    """The ETag of what a job of this version has measured, as a query asks for it."""
    return f'"{version}-{_crc(f"{names} {since_step} {max_points}")}"'


def _crc(text: str) -> str:
    return f"{crc32(text.encode()):x}"


def job_made(job: Job, *, replayed: bool) -> Response:
    """201 with a new job, or 200 with the one that the same call made before."""
    headers = {"Location": f"/jobs/{job.id}", "ETag": job_etag(job)}
    if replayed:
        headers["Idempotent-Replay"] = "true"
    status = 200 if replayed else 201
    return Response(json_of(job), status, headers, media_type="application/json")


def sha256_headers(digest: FileDigest) -> dict[str, str]:
    """The response headers of a file: its sha256 as the ETag and as the Digest."""
    encoded = base64.b64encode(bytes.fromhex(digest.sha256)).decode()
    return {
        "ETag": f'"{digest.sha256}"',
        "Digest": f"sha-256={encoded}",
        "Cache-Control": "no-cache",
    }


def listed(
    request: Request, items: Sequence[BaseModel], *, has_more: bool = False, key: str = "id"
) -> Response:
    """A page of models; the next one starts after the last one's `key`."""
    last = str(getattr(items[-1], key)) if items and has_more else None
    return conditional(request, list_json(map(json_of, items), has_more=has_more, last=last))


def list_json(items: Iterable[bytes], *, has_more: bool, last: str | None) -> bytes:
    """The JSON of a `Page` of items, each given as its JSON; the next page starts after `last`."""
    end = json.dumps({"has_more": has_more, "next": last}, separators=(",", ":"), allow_nan=False)
    # Joined: each model writes its JSON faster than Python writes its parts.
    return b"".join((b'{"object":"list","data":[', b",".join(items), b"],", end[1:].encode()))
