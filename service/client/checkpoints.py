"""The calls about checkpoints."""

from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

from service.client.download import fetch
from service.client.errors import TrainyardError
from service.client.http import Http
from service.client.responses import model, pages, quoted
from service.contract.checkpoints import (
    Checkpoint,
    CheckpointChange,
    Collection,
    FileDigest,
    Lineage,
    Verification,
)
from service.contract.exchange import ExportRequest, ImportRequest
from service.contract.jobs import Job

PAGE = 100
_READING_SECONDS = 3600.0


class CheckpointCalls:
    """The part of `TrainyardClient` that is about checkpoints."""

    _http: Http

    def checkpoints(self, **filters: str) -> Iterator[Checkpoint]:
        """All checkpoints; filters are `job`, `recipe`, `variant`, `tag`, `order_by`."""
        return pages(self._http, Checkpoint, "/checkpoints", {**filters, "limit": PAGE})

    def latest_checkpoint(self, **filters: str) -> Checkpoint:
        """The newest checkpoint of a `job`, `recipe` or `variant`, or of all."""
        return model(Checkpoint, self._http.request("GET", "/checkpoints/latest", query=filters))

    def checkpoint(self, checkpoint_id: str) -> Checkpoint:
        """The checkpoint with its files and their digests."""
        return model(Checkpoint, self._http.request("GET", f"/checkpoints/{quoted(checkpoint_id)}"))

    def best_checkpoint(self, **filters: str) -> Checkpoint:
        """The best by `metric` (top1_error), lowest or `mode="max"`; filters as of the latest."""
        return model(Checkpoint, self._http.request("GET", "/checkpoints/best", query=filters))

    def change_checkpoint(self, checkpoint_id: str, change: CheckpointChange) -> Checkpoint:
        """Pin, unpin, tag."""
        path, body = f"/checkpoints/{quoted(checkpoint_id)}", change.model_dump(exclude_none=True)
        return model(Checkpoint, self._http.request("PATCH", path, body=body))

    def delete_checkpoint(self, checkpoint_id: str) -> None:
        """Give it up, and have its folder removed."""
        self._http.request("DELETE", f"/checkpoints/{quoted(checkpoint_id)}")

    def verify_checkpoint(self, checkpoint_id: str) -> Verification:
        """Have the server read every byte of it."""
        path = f"/checkpoints/{quoted(checkpoint_id)}/verify"
        return model(Verification, self._http.request("POST", path, seconds=_READING_SECONDS))

    def lineage(self, checkpoint_id: str) -> Lineage:
        """Where it comes from, and what came of it."""
        path = f"/checkpoints/{quoted(checkpoint_id)}/lineage"
        return model(Lineage, self._http.request("GET", path))

    def collect_garbage(self, *, dry_run: bool) -> Collection:
        """Have the server remove folders that nobody needs, or tell which it would."""
        body = {"dry_run": dry_run}
        answer = self._http.request("POST", "/checkpoints/gc", body=body, seconds=_READING_SECONDS)
        return model(Collection, answer)

    def download(self, checkpoint_id: str, name: str, target: Path) -> Path:
        """Put one file of a checkpoint at `target`, whole and verified, or not at all."""
        checkpoint = self.checkpoint(checkpoint_id)
        digest = checkpoint.files.get(name)
        if digest is None:
            known = ", ".join(sorted(checkpoint.files))
            raise TrainyardError(f"{checkpoint_id} has no file {name!r}; it has {known}")
        path = f"/checkpoints/{quoted(checkpoint_id)}/files/{quoted(name)}"
        return fetch(self._http, path, digest, target)

    def import_weights(self, request: ImportRequest) -> Job:
        """The job that imports a file below the server's import root."""
        headers = {"Idempotency-Key": uuid4().hex}
        response = self._http.request(
            "POST",
            "/checkpoints/import",
            query={"wait_seconds": 0},
            body=request.model_dump(mode="json"),
            headers=headers,
        )
        return model(Job, response)

    def export(self, request: ExportRequest) -> Job:
        """The job that makes an export, or has made it; its result names the file."""
        path = f"/checkpoints/{quoted(request.checkpoint)}/export"
        body = request.model_dump(mode="json", exclude={"checkpoint"})
        return model(Job, self._http.request("POST", path, body=body))

    def download_of_job(self, job: Job, name: str, target: Path) -> Path:
        """Put a file that the job's result names at `target`, whole and verified."""
        digest = ((job.result or {}).get("files") or {}).get(name)
        if digest is None:
            raise TrainyardError(f"the result of {job.id} names no file {name!r}")
        path = f"/jobs/{quoted(job.id)}/files/{quoted(name)}"
        return fetch(self._http, path, FileDigest.model_validate(digest), target)
