"""A finished job once more, as a new one."""

from datetime import datetime

from sqlalchemy import Connection

from service.contract.jobs import ENDED_JOBS, Job, Progress
from service.contract.specs import AnySpec, CheckpointRef, ExportSpec, ImportSpec, JobSpec
from service.control.jobs import views
from service.control.jobs.submission import (
    SubmissionKey,
    SubmissionResult,
    enqueue,
    new_job,
    replayed,
)
from service.domain.errors import Conflict, Unprocessable
from service.store import checkpoints, history
from service.store.jobs import StoredJob


def retry(
    tx: Connection, job_id: str, origin: str, *, new_id: str, key: str | None, now: datetime
) -> SubmissionResult:
    """Queue a finished job again, from `latest`, `start` or a checkpoint's id.

    Raises NotFound, Conflict for a job that has not ended, IdempotencyMismatch, and Unprocessable
    for an origin that it cannot start from.
    """
    asked = SubmissionKey(key, f"retry {job_id} from {origin}")
    before = replayed(tx, asked)
    if before is not None:
        return before
    parent = views.stored(tx, job_id)
    if parent.job.state not in ENDED_JOBS:
        message = f"{job_id} is {parent.job.state}; a job is retried when it has ended"
        raise Conflict("job_not_ended", message)
    spec = _spec(tx, parent, origin)
    source = parent.source_checkpoint
    if isinstance(spec, JobSpec):
        found = views.check(tx, spec)
        source = found.id if found is not None else None
    is_import = isinstance(spec, ImportSpec)
    job = new_job(
        spec,
        job_id=new_id,
        recipe=None if is_import else parent.job.recipe,
        variant=None if is_import else parent.job.variant,
        progress=_before_the_start(parent.job),
        now=now,
        parent_job_id=job_id,
    )
    made = enqueue(tx, job, source, asked, said=f"retry of {job_id} from {origin}")
    history.note(tx, job_id, None, "retried", f"retried as {new_id}", now)
    return made


def _spec(tx: Connection, parent: StoredJob, origin: str) -> AnySpec:
    spec = parent.job.spec
    # Evals, imports and exports keep nothing on their way: their latest state is their start.
    if origin == "start" or (origin == "latest" and spec.kind != "train"):
        return spec
    if isinstance(spec, ImportSpec | ExportSpec):
        raise Unprocessable("no_origin", f"an {spec.kind} starts from its own request", "/from")
    chosen = _newest_state(tx, parent) if origin == "latest" else origin
    ref = CheckpointRef(id=chosen, state="full" if spec.kind == "train" else "weights")
    field = "init_from" if spec.kind == "train" else "checkpoint"
    return JobSpec.model_validate(spec.model_dump() | {field: ref.model_dump()})


def _newest_state(tx: Connection, parent: StoredJob) -> str:
    job_id = parent.job.id
    training = [c for c in checkpoints.published_of(tx, job_id) if c.phase != "final"]
    if training:
        return training[0].id
    # It may have gone on from a state that another job left, and have ended before its first own.
    inherited = parent.job.spec.init_from if isinstance(parent.job.spec, JobSpec) else None
    if inherited is not None and inherited.state == "full" and parent.source_checkpoint:
        return parent.source_checkpoint
    message = f"{job_id} has left no training state; retry it from start, or from a checkpoint"
    raise Unprocessable("no_checkpoint", message, "/from")


def _before_the_start(parent: Job) -> Progress:
    # The kinds are called as their only phases are.
    return Progress(total_steps=parent.progress.total_steps, phase=parent.kind)
