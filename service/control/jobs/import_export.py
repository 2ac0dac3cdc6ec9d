"""Weights of other programs: imports and exports, which are jobs that a worker runs."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import Connection

from service.contract.checkpoints import Checkpoint
from service.contract.exchange import ExportRequest, ImportRequest
from service.contract.jobs import Job, JobState, Progress
from service.contract.specs import ExportSpec, ImportSpec, JobSpec
from service.control.checkpoints import index
from service.control.jobs import artifacts
from service.control.jobs.submission import (
    SubmissionKey,
    SubmissionResult,
    enqueue,
    new_job,
    replayed,
)
from service.domain.errors import Conflict
from service.store import jobs as store


@dataclass(frozen=True)
class ExportState:
    """The job that makes (or has made) an export, and its file once it is there."""

    job: Job
    file: artifacts.JobFile | None


def submit_import(
    tx: Connection, request: ImportRequest, *, job_id: str, key: str | None, now: datetime
) -> SubmissionResult:
    """Queue the import of a file; raises IdempotencyMismatch."""
    spec = ImportSpec(request=request, name=f"import {request.file}"[:200])
    asked = SubmissionKey(key, spec.model_dump_json())
    before = replayed(tx, asked)
    if before is not None:
        return before
    job = new_job(
        spec,
        job_id=job_id,
        recipe=request.recipe,
        variant=request.variant,
        progress=Progress(total_steps=1, phase="import"),
        now=now,
    )
    return enqueue(tx, job, None, asked, said=f"submitted: import of {request.file}")


def imported(tx: Connection, job: Job) -> Checkpoint:
    """The checkpoint of a finished import."""
    assert job.latest_checkpoint is not None, "an import succeeded without a checkpoint"
    return index.get(tx, job.latest_checkpoint)


def asked_before(
    tx: Connection, request: ExportRequest, *, besides: Collection[str] = ()
) -> Job | None:
    """The newest export of the same that has not failed, `besides` some; raises NotFound."""
    index.get(tx, request.checkpoint)
    for stored in store.exports_of(tx, request.checkpoint):
        job = stored.job
        same = isinstance(job.spec, ExportSpec) and job.spec.request == request
        if same and job.id not in besides:
            return job
    return None


def made_by(job: Job, volume: Path) -> ExportState:
    """An export and its file, if it is made already; raises NotFound if that is gone."""
    made = job.state is JobState.SUCCEEDED
    return ExportState(job, artifacts.only_file_of(job, volume) if made else None)


def submit_export(
    tx: Connection, request: ExportRequest, *, job_id: str, now: datetime
) -> SubmissionResult:
    """Queue an export; raises NotFound, Conflict for a checkpoint whose bytes are not whole."""
    source = index.lock(tx, request.checkpoint)
    if source.state != "published":
        raise Conflict("checkpoint_unusable", f"checkpoint {source.id} is {source.state}")
    origin = store.get(tx, source.job_id)
    trained = origin.job.spec if origin is not None else None
    spec = ExportSpec.model_validate(
        {
            "request": request,
            "recipe": source.recipe,
            "params": trained.params if isinstance(trained, JobSpec) else {},
            "name": f"export {source.id} as {request.format}",
        }
    )
    job = new_job(
        spec,
        job_id=job_id,
        recipe=source.recipe,
        variant=source.variant,
        progress=Progress(total_steps=1, phase="export"),
        now=now,
    )
    asked = SubmissionKey(None, spec.model_dump_json())
    said = f"submitted: export of {source.id}"
    return enqueue(tx, job, source.id, asked, said=said)
