"""What users do with jobs."""

from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from service.contract.checkpoints import Checkpoint
from service.contract.datasets import DATASETS
from service.contract.jobs import ENDED_JOBS, Job, JobState, Progress
from service.contract.specs import CheckpointRef, JobSpec
from service.control.jobs.queue_views import job_views
from service.control.jobs.submission import (
    SubmissionKey,
    SubmissionResult,
    enqueue,
    new_job,
    replayed,
)
from service.domain.errors import Conflict, NotFound, Unprocessable
from service.domain.lifecycle import JobEvent, move_job
from service.store import checkpoints, history
from service.store import jobs as store
from service.store.jobs import JobFilter, StoredJob


def submit(
    tx: Connection, spec: JobSpec, *, job_id: str, key: str | None, now: datetime
) -> SubmissionResult:
    """Queue a job; raises IdempotencyMismatch, and Unprocessable for what cannot run."""
    asked = SubmissionKey(key, spec.model_dump_json())
    before = replayed(tx, asked)
    if before is not None:
        return before
    source = check(tx, spec)
    assert spec.variant is not None
    job = new_job(
        spec,
        job_id=job_id,
        recipe=spec.recipe,
        variant=spec.variant,
        progress=_at_the_start(spec),
        now=now,
    )
    source_id = source.id if source is not None else None
    return enqueue(tx, job, source_id, asked, said=f"submitted: {spec.kind} of {spec.recipe}")


def check(tx: Connection, spec: JobSpec) -> Checkpoint | None:
    """The checkpoint a submission starts from, if it names one; raises Unprocessable."""
    dataset = DATASETS.get(spec.data.dataset or "")
    if spec.data.dataset is not None and dataset is None:
        known = ", ".join(DATASETS)
        message = f"there is no data set {spec.data.dataset!r}; there is {known}"
        raise Unprocessable("no_such_dataset", message, "/data/dataset")
    params = spec.recipe_params
    if dataset is not None:
        if params.num_classes not in (None, dataset.num_classes):
            message = f"{dataset.name} has {dataset.num_classes} classes, not {params.num_classes}"
            raise Unprocessable("class_count", message, "/params/num_classes")
        if spec.kind == "train" and params.batch_size > dataset.train_images:
            message = (
                f"batch_size {params.batch_size} is larger than the training set of "
                f"{dataset.train_images} images; use at most {dataset.train_images}"
            )
            raise Unprocessable("batch_size", message, "/params/batch_size")
    source = _source(tx, spec)
    if source is not None:
        classes = dataset.num_classes if dataset is not None else params.num_classes
        _check_source(spec, source, classes)
    return source


def get(tx: Connection, job_id: str) -> Job:
    """One job; raises NotFound."""
    return job_views(tx, [stored(tx, job_id)])[0]


def version_of(tx: Connection, job_id: str) -> tuple[int, JobState]:
    """How often a job was changed, and its state: all that most polls need; raises NotFound."""
    found = store.version_of(tx, job_id)
    if found is None:
        raise NotFound("no_such_job", f"there is no job {job_id}")
    return found


def page(tx: Connection, wanted: JobFilter) -> tuple[list[Job], bool]:
    """A page of jobs, newest first, and whether there are more."""
    found = store.page(tx, wanted)
    return job_views(tx, found[: wanted.limit]), len(found) > wanted.limit


def cancel(tx: Connection, job_id: str, *, mode: str, now: datetime) -> Job:
    """End a queued job at once, ask a running one to stop; raises NotFound, Conflict.

    `graceful` lets it save a checkpoint first; a later `now` overrules it.
    """
    job = stored(tx, job_id, lock=True).job
    if job.state is JobState.CANCELLED:
        return job
    if job.state in ENDED_JOBS:
        raise Conflict("job_ended", f"{job_id} has {job.state} already; nothing was cancelled")
    if job.state is JobState.CANCELLING:
        if mode == "now":
            store.change(tx, job_id, [job.state], {"stop_mode": mode})
        return get(tx, job_id)
    state = move_job(job.state, JobEvent.CANCEL_REQUESTED)
    values: dict[str, Any] = {"state": state, "stop_mode": mode}
    if state is JobState.CANCELLED:
        values |= {
            "finished_at": now,
            "reason": "cancelled",
            "message": f"cancelled while {job.state}",
        }
    store.change(tx, job_id, [job.state], values)
    history.note(tx, job_id, None, "cancel", f"cancel asked ({mode})", now)
    return get(tx, job_id)


def stored(tx: Connection, job_id: str, *, lock: bool = False) -> StoredJob:
    """One job with what only the control plane knows; raises NotFound."""
    found = store.get(tx, job_id, lock=lock)
    if found is None:
        raise NotFound("no_such_job", f"there is no job {job_id}")
    return found


def _at_the_start(spec: JobSpec) -> Progress:
    if spec.kind == "eval":
        return Progress(total_steps=1, phase="eval")
    return Progress(total_steps=spec.recipe_params.total_iters)


def _source(tx: Connection, spec: JobSpec) -> Checkpoint | None:
    reference, field = (
        (spec.checkpoint, "/checkpoint") if spec.kind == "eval" else (spec.init_from, "/init_from")
    )
    if reference is None or reference.file is not None:
        return None
    checkpoint_id = reference.id or _of_job(tx, reference, field)
    # Held until the job is stored: nobody lets it go in between.
    found = checkpoints.get(tx, checkpoint_id, lock=True)
    if found is None:
        message = f"there is no checkpoint {checkpoint_id}"
        raise Unprocessable("no_such_checkpoint", message, f"{field}/id")
    if found.state != "published":
        message = f"checkpoint {checkpoint_id} is {found.state}; name another one"
        raise Unprocessable("checkpoint_unusable", message, field)
    return found


def _of_job(tx: Connection, reference: CheckpointRef, field: str) -> str:
    assert reference.job is not None
    found = store.get(tx, reference.job)
    if found is None:
        raise Unprocessable("no_such_job", f"there is no job {reference.job}", f"{field}/job")
    job = found.job
    chosen = job.latest_checkpoint if reference.which == "latest" else job.best_checkpoint
    if chosen is None:
        what = "checkpoint" if reference.which == "latest" else "validated checkpoint"
        message = f"{reference.job} has no {what} yet; submit again when it has one"
        raise Unprocessable("no_checkpoint", message, f"{field}/job")
    return chosen


def _check_source(spec: JobSpec, source: Checkpoint, classes: int | None) -> None:
    field = "/checkpoint" if spec.kind == "eval" else "/init_from"
    if (source.recipe, source.variant) != (spec.recipe, spec.variant):
        message = (
            f"checkpoint {source.id} is of {source.recipe} {source.variant}, "
            f"the job of {spec.recipe} {spec.variant}; set recipe and variant to the checkpoint's"
        )
        raise Unprocessable("other_network", message, field)
    reference = spec.init_from
    if reference is not None and reference.state == "full" and source.phase == "final":
        message = "final weights have no training state; name a step checkpoint or state: weights"
        raise Unprocessable("no_training_state", message, f"{field}/state")
    assert source.manifest is not None
    trained = source.manifest["num_classes"]
    replaced = reference is not None and reference.head == "replace"
    if classes is not None and trained != classes and not replaced:
        hint = ", or set head to replace" if reference is not None else ""
        message = (
            f"checkpoint {source.id} has {trained} classes, the data {classes}; "
            f"use data with {trained} classes{hint}"
        )
        raise Unprocessable("class_count", message, field)
