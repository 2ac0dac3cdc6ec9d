"""The calls that change the course of a job, or of a worker."""

from collections.abc import Mapping
from typing import Literal
from uuid import uuid4

from service.client.http import Http
from service.client.responses import model, quoted
from service.contract.jobs import Job
from service.contract.workers import Worker


class SteeringCalls:
    """The part of `TrainyardClient` that steers."""

    _http: Http

    def cancel(self, job_id: str, mode: Literal["graceful", "now"] = "graceful") -> Job:
        """Ask for the job's end; a graceful one saves a checkpoint first."""
        path = f"/jobs/{quoted(job_id)}/cancel"
        return model(Job, self._http.request("POST", path, body={"mode": mode}))

    def pause(self, job_id: str) -> Job:
        """Ask the job to save a checkpoint and rest."""
        return model(Job, self._http.request("POST", f"/jobs/{quoted(job_id)}/pause"))

    def resume(self, job_id: str) -> Job:
        """Have a paused or pausing job go on from its last checkpoint."""
        return model(Job, self._http.once("POST", f"/jobs/{quoted(job_id)}/resume"))

    def retry(self, job_id: str, origin: str = "latest", *, key: str | None = None) -> Job:
        """A new job like a finished one, from `latest`, `start` or a checkpoint's id; made once."""
        path = f"/jobs/{quoted(job_id)}/retry"
        headers = {"Idempotency-Key": key or uuid4().hex}
        response = self._http.request("POST", path, body={"from": origin}, headers=headers)
        return model(Job, response)

    def edit(
        self,
        job_id: str,
        *,
        name: str | None = None,
        labels: Mapping[str, str] | None = None,
        priority: int | None = None,
        etag: str | None = None,
    ) -> Job:
        """Change what is not None; with an ETag only if the job is still as it was then."""
        said = {"name": name, "labels": labels, "priority": priority}
        body = {field: value for field, value in said.items() if value is not None}
        headers = {"If-Match": etag} if etag is not None else None
        path = f"/jobs/{quoted(job_id)}"
        return model(Job, self._http.once("PATCH", path, body=body, headers=headers))

    def delete(self, job_id: str) -> None:
        """Forget a finished job; its pinned and tagged checkpoints are kept."""
        self._http.once("DELETE", f"/jobs/{quoted(job_id)}")

    def drain(self, worker_id: str) -> Worker:
        """Have a worker finish what it runs and claim nothing new."""
        return model(Worker, self._http.request("POST", f"/workers/{quoted(worker_id)}/drain"))

    def resume_worker(self, worker_id: str) -> Worker:
        """Let a draining or quarantined worker claim again."""
        return model(Worker, self._http.request("POST", f"/workers/{quoted(worker_id)}/resume"))
