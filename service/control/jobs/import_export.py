"""Weights of other programs: imports and exports, which are jobs that a worker runs."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from service.contract.checkpoints import Checkpoint
from service.contract.exchange import ExportRequest, ImportRequest
from service.contract.jobs import Job, JobState
from service.control.checkpoints import index
from service.control.checkpoints.files import VolumeFile
from service.control.jobs import artifacts, views
from service.control.jobs.submission import SubmissionResult, submit
from service.control.kinds.export import export_spec, exports_of
from service.control.kinds.import_ import import_spec
from service.domain.access import SERVER, Caller
from service.domain.errors import Gone
from service.volume.identity import SharedVolume


@dataclass(frozen=True)
class ExportState:
    """The job that makes (or has made) an export, and its file once it is there."""

    job: Job
    file: VolumeFile | None


def submit_import(
    tx: Connection,
    request: ImportRequest,
    *,
    job_id: str,
    key: str | None,
    now: datetime,
    by: Caller = SERVER,
) -> SubmissionResult:
    """Queue the import of a file; raises IdempotencyMismatch, Unprocessable."""
    return submit(tx, import_spec(request), job_id=job_id, key=key, now=now, by=by)


def imported(tx: Connection, job: Job) -> Checkpoint:
    """The checkpoint of a finished import; raises Gone if it is deleted, as a later call finds."""
    if job.latest_checkpoint is None:
        message = f"the checkpoint that {job.id} imported is deleted; a new key imports it again"
        raise Gone("checkpoint_deleted", message)
    return index.get(tx, job.latest_checkpoint)


def earlier_export(
    tx: Connection, request: ExportRequest, *, besides: Collection[str] = ()
) -> Job | None:
    """The newest job of the same export that has not failed, `besides` some; raises NotFound."""
    index.get(tx, request.checkpoint)
    for job in exports_of(tx, request):
        if job.id not in besides:
            return views.get(tx, job.id)
    return None


def export_state(job: Job, volume: SharedVolume) -> ExportState:
    """An export with its file if its job has ended; raises NotFound if the file is missing."""
    made = job.state is JobState.SUCCEEDED
    return ExportState(job, artifacts.only_file_of(job, volume) if made else None)


def submit_export(
    tx: Connection, request: ExportRequest, *, job_id: str, now: datetime, by: Caller = SERVER
) -> SubmissionResult:
    """Queue an export; raises NotFound, Conflict for a checkpoint whose bytes are not whole.

    Raises Unprocessable for a format that cannot hold its network.
    """
    return submit(tx, export_spec(tx, request), job_id=job_id, key=None, now=now, by=by)
