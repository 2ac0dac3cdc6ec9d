"""The calls for imports and exports: weights from and for other programs."""

from pathlib import Path

from service.client.calls.keys import key_header
from service.client.calls.responses import path_segment, requested
from service.client.flow import Flow
from service.contract.exchange import ExportRequest, ImportRequest
from service.contract.import_files import ImportFiles
from service.contract.jobs import Job


def import_weights(request: ImportRequest | str | Path, *, key: str | None = None) -> Flow[Job]:
    """Submit a job that imports a file below the import root; a path alone names the file.

    The idempotency key makes one job even if the request is sent again.
    """
    if not isinstance(request, ImportRequest):
        request = ImportRequest(file=Path(request).as_posix())
    return requested(
        Job,
        "POST",
        "/checkpoints/import",
        query={"wait_seconds": 0},
        body=request.model_dump(mode="json"),
        headers=key_header(key),
    )


def imports() -> Flow[ImportFiles]:
    """The files below the server's import root that can be imported, the newest first."""
    return requested(ImportFiles, "GET", "/imports")


def export(request: ExportRequest) -> Flow[Job]:
    """The job that exports a checkpoint, submitted if there is none.

    Its result names the exported file.
    """
    path = f"/checkpoints/{path_segment(request.checkpoint)}/export"
    body = request.model_dump(mode="json", exclude={"checkpoint"})
    return requested(Job, "POST", path, body=body)
