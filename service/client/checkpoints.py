"""The client's calls for checkpoints, imports and exports."""

from collections.abc import Iterator
from pathlib import Path
from typing import Literal
from uuid import uuid4

from service.client.download import fetch
from service.client.errors import TrainyardError
from service.client.http import Http
from service.client.responses import paginate, parse_response, path_segment
from service.contract.checkpoint_lineage import Lineage
from service.contract.checkpoints import (
    Checkpoint,
    CheckpointChange,
    Collection,
    FileDigest,
    Measured,
    Phase,
    SortKey,
    State,
    Verification,
)
from service.contract.exchange import ExportRequest, ImportRequest
from service.contract.import_files import ImportFiles
from service.contract.jobs import Job

PAGE = 100
_READ_TIMEOUT_SECONDS = 3600.0


class CheckpointCalls:
    """The methods of `Client` for checkpoints, imports and exports."""

    _http: Http

    def checkpoints(
        self,
        *,
        job: str | None = None,
        recipe: str | None = None,
        variant: str | None = None,
        tag: str | None = None,
        phase: Phase | None = None,
        pinned: bool | None = None,
        state: State | None = None,
        retained: bool | None = None,
        order_by: SortKey | None = None,
        manifest: bool | None = None,
    ) -> Iterator[Checkpoint]:
        """All checkpoints to which every filter that is not None applies; the newest first.

        With `manifest=False` they come without their manifests.
        """
        filters = {"job": job, "recipe": recipe, "variant": variant, "tag": tag, "phase": phase}
        flags = {"pinned": pinned, "retained": retained, "manifest": manifest}
        query = {**filters, **flags, "state": state, "order_by": order_by, "limit": PAGE}
        return paginate(self._http, Checkpoint, "/checkpoints", query)

    def latest_checkpoint(
        self, *, job: str | None = None, recipe: str | None = None, variant: str | None = None
    ) -> Checkpoint:
        """The newest checkpoint to which every filter that is not None applies."""
        filters = {"job": job, "recipe": recipe, "variant": variant}
        return parse_response(
            Checkpoint, self._http.request("GET", "/checkpoints/latest", query=filters)
        )

    def checkpoint(self, checkpoint_id: str) -> Checkpoint:
        """One checkpoint with its files and their digests."""
        return parse_response(
            Checkpoint, self._http.request("GET", f"/checkpoints/{path_segment(checkpoint_id)}")
        )

    def best_checkpoint(
        self,
        *,
        metric: Measured = "top1_error",
        mode: Literal["min", "max"] = "min",
        job: str | None = None,
        recipe: str | None = None,
        variant: str | None = None,
    ) -> Checkpoint:
        """The checkpoint with the lowest value of a metric, or the highest with `mode="max"`.

        Every filter that is not None applies to it.
        """
        filters = {"job": job, "recipe": recipe, "variant": variant}
        query = {**filters, "metric": metric, "mode": mode}
        return parse_response(
            Checkpoint, self._http.request("GET", "/checkpoints/best", query=query)
        )

    def change_checkpoint(self, checkpoint_id: str, change: CheckpointChange) -> Checkpoint:
        """Change whether a checkpoint is pinned, and its tags."""
        path, body = (
            f"/checkpoints/{path_segment(checkpoint_id)}",
            change.model_dump(exclude_none=True),
        )
        return parse_response(Checkpoint, self._http.request("PATCH", path, body=body))

    def delete_checkpoint(self, checkpoint_id: str) -> None:
        """Delete a checkpoint and its folder; ApiError if it is pinned or in use."""
        self._http.request("DELETE", f"/checkpoints/{path_segment(checkpoint_id)}")

    def verify_checkpoint(self, checkpoint_id: str) -> Verification:
        """Have the server read every byte of a checkpoint and compare the digests."""
        path = f"/checkpoints/{path_segment(checkpoint_id)}/verify"
        return parse_response(
            Verification, self._http.request("POST", path, seconds=_READ_TIMEOUT_SECONDS)
        )

    def lineage(self, checkpoint_id: str) -> Lineage:
        """The ancestors and children of a checkpoint, and the jobs that used it."""
        path = f"/checkpoints/{path_segment(checkpoint_id)}/lineage"
        return parse_response(Lineage, self._http.request("GET", path))

    def collect_garbage(self, *, dry_run: bool) -> Collection:
        """Have the server remove unneeded folders; with `dry_run` it only lists them."""
        body = {"dry_run": dry_run}
        response = self._http.request(
            "POST", "/checkpoints/gc", body=body, seconds=_READ_TIMEOUT_SECONDS
        )
        return parse_response(Collection, response)

    def download(self, checkpoint_id: str, name: str, target: Path) -> Path:
        """Download one file of a checkpoint to `target`, which appears only once it is verified.

        Raises DownloadDamaged if the sha256 differs, TrainyardError if there is no such file.
        """
        checkpoint = self.checkpoint(checkpoint_id)
        digest = checkpoint.files.get(name)
        if digest is None:
            known = ", ".join(sorted(checkpoint.files))
            raise TrainyardError(f"{checkpoint_id} has no file {name!r}; it has {known}")
        path = f"/checkpoints/{path_segment(checkpoint_id)}/files/{path_segment(name)}"
        return fetch(self._http, path, digest, target)

    def import_weights(self, request: ImportRequest) -> Job:
        """Submit a job that imports a file below the import root."""
        headers = {"Idempotency-Key": uuid4().hex}
        response = self._http.request(
            "POST",
            "/checkpoints/import",
            query={"wait_seconds": 0},
            body=request.model_dump(mode="json"),
            headers=headers,
        )
        return parse_response(Job, response)

    def imports(self) -> ImportFiles:
        """The files below the server's import root that can be imported, the newest first."""
        return parse_response(ImportFiles, self._http.request("GET", "/imports"))

    def export(self, request: ExportRequest) -> Job:
        """The job that exports a checkpoint, submitted if there is none.

        Its result names the exported file.
        """
        path = f"/checkpoints/{path_segment(request.checkpoint)}/export"
        body = request.model_dump(mode="json", exclude={"checkpoint"})
        return parse_response(Job, self._http.request("POST", path, body=body))

    def download_of_job(self, job: Job, name: str, target: Path) -> Path:
        """Download a file named by the job's result to `target`, which appears once it is verified.

        Raises DownloadDamaged if the sha256 differs, TrainyardError if there is no such file.
        """
        digest = ((job.result or {}).get("files") or {}).get(name)
        if digest is None:
            raise TrainyardError(f"the result of {job.id} names no file {name!r}")
        path = f"/jobs/{path_segment(job.id)}/files/{path_segment(name)}"
        return fetch(self._http, path, FileDigest.model_validate(digest), target)
