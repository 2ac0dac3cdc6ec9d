"""The client's calls that cancel, pause, resume, retry, edit and delete jobs."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal
from uuid import uuid4

from service.client.http import Http
from service.client.responses import parse_response, path_segment
from service.contract.bulk import BulkAction, BulkReply, CancelMode
from service.contract.jobs import Job

_BULK_TIMEOUT_SECONDS = 300.0


class JobActionCalls:
    """The methods of `Client` that act on jobs."""

    _http: Http

    def cancel(self, job_id: str, mode: Literal["graceful", "now"] = "graceful") -> Job:
        """Cancel a job; in mode `graceful` a running job saves a checkpoint first."""
        path = f"/jobs/{path_segment(job_id)}/cancel"
        return parse_response(Job, self._http.request("POST", path, body={"mode": mode}))

    def pause(self, job_id: str) -> Job:
        """Pause a job; a running job saves a checkpoint first."""
        return parse_response(
            Job, self._http.request("POST", f"/jobs/{path_segment(job_id)}/pause")
        )

    def resume(self, job_id: str) -> Job:
        """Resume a paused or pausing job from its latest checkpoint."""
        return parse_response(
            Job, self._http.request_once("POST", f"/jobs/{path_segment(job_id)}/resume")
        )

    def retry(self, job_id: str, origin: str = "latest", *, key: str | None = None) -> Job:
        """Submit a copy of a failed or cancelled job, from `latest`, `start` or a checkpoint's id.

        The idempotency key makes one job even if the request is sent again.
        """
        path = f"/jobs/{path_segment(job_id)}/retry"
        headers = {"Idempotency-Key": key or uuid4().hex}
        response = self._http.request("POST", path, body={"from": origin}, headers=headers)
        return parse_response(Job, response)

    def edit(
        self,
        job_id: str,
        *,
        name: str | None = None,
        labels: Mapping[str, str] | None = None,
        priority: int | None = None,
        etag: str | None = None,
    ) -> Job:
        """Change the fields that are not None.

        With `etag`, raises ApiError if the job has changed since it was read with that ETag.
        """
        fields = {"name": name, "labels": labels, "priority": priority}
        body = {field: value for field, value in fields.items() if value is not None}
        headers = {"If-Match": etag} if etag is not None else None
        path = f"/jobs/{path_segment(job_id)}"
        return parse_response(
            Job, self._http.request_once("PATCH", path, body=body, headers=headers)
        )

    def delete(self, job_id: str) -> None:
        """Delete a finished job; its pinned and tagged checkpoints are kept."""
        self._http.request_once("DELETE", f"/jobs/{path_segment(job_id)}")

    def bulk(
        self,
        action: BulkAction,
        *,
        ids: Sequence[str] | None = None,
        filter: Mapping[str, Any] | None = None,
        key: str | None = None,
        mode: CancelMode | None = None,
        origin: str | None = None,
        labels: Mapping[str, str | None] | None = None,
        priority: int | None = None,
    ) -> BulkReply:
        """One action on at most 1,000 jobs, named by `ids`, or all that `filter` means.

        The filter has the names of the query of `GET /jobs`. `mode` is for a cancel, `origin` for a
        retry, `labels` (None removes one) and `priority` for the actions of these names. The reply
        has a result for each job; one that is refused keeps no other from being changed.
        """
        fields = {
            "ids": list(ids) if ids is not None else None,
            "filter": filter,
            "mode": mode,
            "from": origin,
            "labels": labels,
            "priority": priority,
        }
        body = {name: value for name, value in fields.items() if value is not None}
        headers = {"Idempotency-Key": key or uuid4().hex}
        response = self._http.request(
            "POST",
            "/jobs/bulk",
            body={"action": action, **body},
            headers=headers,
            seconds=_BULK_TIMEOUT_SECONDS,
        )
        return parse_response(BulkReply, response)
