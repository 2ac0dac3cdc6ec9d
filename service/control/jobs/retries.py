"""A failed or cancelled job is queued again, as a new one."""

from datetime import datetime

from sqlalchemy import Connection

from service.contract.jobs import ENDED_JOBS, JobState
from service.contract.resources import Resources
from service.control.access.ownership import require_owner
from service.control.jobs import views
from service.control.jobs.new_jobs import SubmissionKey, new_job, store
from service.control.jobs.submission import SubmissionResult, replayed
from service.control.kinds import kind_of
from service.control.scheduling import present_catalogs
from service.control.scheduling.class_limit import check_class_limit
from service.domain.access import SERVER, Caller
from service.domain.errors import Conflict
from service.store import audit, history, idempotency


def retry(
    tx: Connection,
    job_id: str,
    origin: str,
    resources: Resources | None = None,
    *,
    new_id: str,
    key: str | None,
    now: datetime,
    by: Caller = SERVER,
) -> SubmissionResult:
    """Queue a failed or cancelled job again, from `latest`, `start` or a checkpoint's id.

    It needs the `resources` of the job, unless there are others for it.

    Raises NotFound, Conflict for a job that has not ended or that has succeeded,
    IdempotencyMismatch, Forbidden, and Unprocessable for an origin that it cannot start from.
    """
    request = f"retry {job_id} from {origin}"
    if resources is not None:
        request = f"{request} on {resources.model_dump_json()}"
    submission_key = SubmissionKey(key, request)
    earlier = replayed(tx, submission_key, idempotency.find(tx, key))
    if earlier is not None:
        return earlier
    # Locked before the checkpoint that it may start from, as everybody locks them.
    parent = views.stored(tx, job_id, lock=True)
    require_owner(by, job_id, parent.job.submitted_by)
    if parent.job.state not in ENDED_JOBS:
        message = f"{job_id} is {parent.job.state}; a job is retried when it has ended"
        raise Conflict("job_not_ended", message)
    if parent.job.state is JobState.SUCCEEDED:
        message = (
            f"{job_id} has succeeded, and nothing of it is left to retry; submit its spec as a new "
            "job, or a training that starts from its checkpoint with init_from"
        )
        raise Conflict("job_succeeded", message)
    kind = kind_of(parent.job.spec)
    # Not completed again: the recipe's newest form may not have its parameters any more.
    spec = kind.retry_spec(tx, parent, parent.job.spec, origin)
    if resources is not None:
        spec = spec.model_copy(update={"resources": resources})
    with present_catalogs.read_once(tx):
        checked = kind.check(tx, spec)
    job = new_job(
        checked,
        submission_key,
        forms=parent.needs.forms,
        job_id=new_id,
        message=f"retry of {job_id} from {origin}",
        now=now,
        by=by,
        parent_job_id=job_id,
    )
    check_class_limit(tx, job.needs)
    store(tx, [job])
    kind.note_retry(tx, parent, new_id)
    history.note(tx, job_id, None, "retried", f"retried as {new_id}", now)
    audit.note(tx, "job.retry", job_id, f"as {new_id} from {origin}")
    return SubmissionResult(new_id, replayed=False)
