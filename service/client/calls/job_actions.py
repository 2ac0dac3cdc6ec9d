"""The calls that cancel, pause, resume, retry, edit and delete jobs."""

from collections.abc import Mapping, Sequence
from typing import Any

from service.client.calls.keys import key_header
from service.client.calls.responses import path_segment, requested
from service.client.flow import Flow, send
from service.contract.bulk import BulkAction, BulkReply, CancelMode
from service.contract.jobs import Job

_BULK_TIMEOUT_SECONDS = 300.0


def cancel(job_id: str, mode: CancelMode = "graceful") -> Flow[Job]:
    """Cancel a job; in mode `graceful` a running job saves a checkpoint first."""
    return requested(Job, "POST", f"{_path(job_id)}/cancel", body={"mode": mode})


def pause(job_id: str) -> Flow[Job]:
    """Pause a job; a running job saves a checkpoint first."""
    return requested(Job, "POST", f"{_path(job_id)}/pause")


def resume(job_id: str) -> Flow[Job]:
    """Resume a paused or pausing job from its latest checkpoint."""
    return requested(Job, "POST", f"{_path(job_id)}/resume", repeats=False)


def retry(
    job_id: str,
    origin: str = "latest",
    *,
    resources: Mapping[str, Any] | None = None,
    key: str | None = None,
) -> Flow[Job]:
    """Submit a copy of a failed or cancelled job, from `latest`, `start` or a checkpoint's id.

    `resources` take the place of the job's, as `{"gpus": 2}` does. The idempotency key makes one
    job even if the request is sent again.
    """
    body: dict[str, Any] = {"from": origin}
    if resources is not None:
        body["resources"] = dict(resources)
    headers = key_header(key)
    return requested(Job, "POST", f"{_path(job_id)}/retry", body=body, headers=headers)


def edit(
    job_id: str,
    *,
    name: str | None = None,
    labels: Mapping[str, str] | None = None,
    priority: int | None = None,
    preemptible: bool | None = None,
    etag: str | None = None,
) -> Flow[Job]:
    """Change the fields that are not None.

    With `etag`, raises Conflict if the job has changed since it was read with that ETag.
    """
    fields = {"name": name, "labels": labels, "priority": priority, "preemptible": preemptible}
    body = {field: value for field, value in fields.items() if value is not None}
    headers = {"If-Match": etag} if etag is not None else {}
    return requested(Job, "PATCH", _path(job_id), body=body, headers=headers, repeats=False)


def delete(job_id: str) -> Flow[None]:
    """Delete a finished job; its pinned and tagged checkpoints are kept."""
    yield from send("DELETE", _path(job_id), repeats=False)


def bulk(
    action: BulkAction,
    *,
    ids: Sequence[str] | None = None,
    filter: Mapping[str, Any] | None = None,
    limit: int | None = None,
    after: str | None = None,
    key: str | None = None,
    mode: CancelMode | None = None,
    origin: str | None = None,
    labels: Mapping[str, str | None] | None = None,
    priority: int | None = None,
) -> Flow[BulkReply]:
    """One action on at most 1,000 jobs, named by `ids`, or all that `filter` means.

    The filter has the names of the query of `GET /jobs`. `mode` is for a cancel, `origin` for a
    retry, `labels` (None removes one) and `priority` for the actions of these names. The reply has
    a result for each job; one that is refused keeps no other from being changed. A filter may mean
    more than 1,000 jobs where `limit` says how many are changed, the newest first: the reply has
    how many are `left`, and its `next` is the `after` of the call that goes on.
    """
    fields = {
        "ids": list(ids) if ids is not None else None,
        "filter": filter,
        "limit": limit,
        "after": after,
        "mode": mode,
        "from": origin,
        "labels": labels,
        "priority": priority,
    }
    body = {name: value for name, value in fields.items() if value is not None}
    return requested(
        BulkReply,
        "POST",
        "/jobs/bulk",
        body={"action": action, **body},
        headers=key_header(key),
        seconds=_BULK_TIMEOUT_SECONDS,
    )


def _path(job_id: str) -> str:
    return f"/jobs/{path_segment(job_id)}"
