"""What one action does with the jobs of a call, and the result of each."""

from collections.abc import Callable, Iterator, Sequence

from sqlalchemy import Connection

from service.contract.bulk import BulkJob, BulkProblem, BulkRequest, BulkResult
from service.contract.changes import JobEdit
from service.contract.fields import MOST_LABELS
from service.contract.jobs import Job, JobState
from service.control.jobs import edits, retries, search_family
from service.control.jobs.bulk_call import BulkCall
from service.control.jobs.job_changes import JobChange, store_changes
from service.control.jobs.state_changes import (
    cancel_change,
    edit_change,
    pause_change,
    resume_change,
)
from service.domain.errors import TrainyardError, Unprocessable
from service.store import attempts, idempotency
from service.store import jobs as store
from service.store.job_rows import StoredJob

EDITS = ("label", "priority")
"""Actions that change what a job says, not its state."""


def all_together(tx: Connection, call: BulkCall, rows: Sequence[StoredJob]) -> Iterator[BulkResult]:
    changes: list[tuple[Job, JobChange]] = []
    change_of = _change_of(tx, call, rows)
    for row in rows:
        try:
            change = change_of(row)
        except TrainyardError as error:
            yield refused(row.job.id, error)
            continue
        changes.append((row.job, change))
        yield _changed(row.job, change)
    store_changes(tx, changes, call.now)
    changed = [job for job, _ in changes]
    if call.request.action in EDITS:
        searches = filter(search_family.has_parts, changed)
        edited = {job.id: _edit(job, call.request) for job in searches}
        search_family.edit_parts(tx, edited, call.now)
        return
    mode = call.request.mode or "graceful"
    search_family.change_parts(tx, call.request.action, changed, mode, call.now)


def _change_of(
    tx: Connection, call: BulkCall, rows: Sequence[StoredJob]
) -> Callable[[StoredJob], JobChange]:
    request = call.request
    if request.action == "cancel":
        mode = request.mode or "graceful"
        live = attempts.jobs_with_live(tx, [row.job.id for row in rows])
        return lambda row: cancel_change(row, mode, call.now, lambda: row.job.id in live)
    if request.action == "pause":
        return lambda row: pause_change(row.job)
    if request.action == "resume":
        return lambda row: resume_change(tx, row)
    return lambda row: edit_change(row.job, _edit(row.job, request))


def _edit(job: Job, request: BulkRequest) -> JobEdit:
    if request.labels is None:
        return JobEdit(priority=request.priority)
    merged = {**job.spec.labels, **request.labels}
    labels = {key: value for key, value in merged.items() if value is not None}
    if len(labels) > MOST_LABELS:
        message = f"{job.id} would have {len(labels)} labels; a job has at most {MOST_LABELS}"
        raise Unprocessable("too_many_labels", message, "/labels")
    # Not checked again: other labels of the job may be from another version.
    return JobEdit.model_construct(_fields_set={"labels"}, labels=labels)


def each_alone(tx: Connection, call: BulkCall, rows: Sequence[StoredJob]) -> Iterator[BulkResult]:
    for row in rows:
        job_id = row.job.id
        try:
            if call.request.action == "delete":
                _delete(tx, call, job_id)
                yield BulkResult(id=job_id, ok=True)
            else:
                yield BulkResult(id=job_id, ok=True, job=_retried(tx, call, job_id))
        except TrainyardError as error:
            yield refused(job_id, error)


def _delete(tx: Connection, call: BulkCall, job_id: str) -> None:
    edits.delete(tx, job_id)
    if (key := call.key_of(job_id)) is not None:
        idempotency.add(tx, key, call.digest, job_id, call.now)


def _retried(tx: Connection, call: BulkCall, job_id: str) -> BulkJob:
    origin = call.request.origin or "latest"
    result = retries.retry(
        tx, job_id, origin, new_id=call.new_id(), key=call.key_of(job_id), now=call.now, by=call.by
    )
    row = store.get(tx, result.job_id)
    assert row is not None, "it was stored by this transaction, or is there"
    job = row.job
    return BulkJob(id=job.id, state=job.state, version=job.version, parent_job_id=job_id)


def _changed(job: Job, change: JobChange) -> BulkResult:
    state: JobState = change.values.get("state", job.state)
    version = job.version + 1 if change.values else job.version
    small = BulkJob(id=job.id, state=state, version=version, parent_job_id=job.parent_job_id)
    return BulkResult(id=job.id, ok=True, job=small)


def refused(job_id: str, error: TrainyardError) -> BulkResult:
    problem = BulkProblem(code=error.code, detail=error.message)
    return BulkResult(id=job_id, ok=False, problem=problem)
