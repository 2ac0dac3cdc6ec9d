"""One action on many jobs: what one of them is refused for keeps no other from being changed."""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from service.contract.bulk import (
    MOST_JOBS,
    BulkJob,
    BulkProblem,
    BulkReply,
    BulkRequest,
    BulkResult,
)
from service.contract.changes import JobEdit
from service.contract.fields import MOST_LABELS
from service.contract.jobs import Job, JobState
from service.contract.model_json import json_of
from service.control.access.ownership import require_owner
from service.control.jobs import edits, retries, search_family
from service.control.jobs.bulk_parts import BulkPart, part_of
from service.control.jobs.job_changes import JobChange, store_changes
from service.control.jobs.state_changes import (
    cancel_change,
    edit_change,
    pause_change,
    resume_change,
)
from service.domain.access import SERVER, Caller
from service.domain.errors import (
    Forbidden,
    IdempotencyMismatch,
    NotFound,
    TrainyardError,
    Unprocessable,
)
from service.store import attempts, idempotency
from service.store import jobs as store
from service.store.engine import Database
from service.store.job_rows import StoredJob
from service.store.job_search import conditions, filter_of

_BATCHES = {"retry": 25, "delete": 50}
"""Of actions that send many statements for a job: other writers wait for a transaction."""
_EDITS = ("label", "priority")
_ALSO_OF_PARTS = ("cancel", "pause", "resume", *_EDITS)


@dataclass(frozen=True)
class BulkCall:
    """A request with its idempotency key, the moment, what gives ids of new jobs, who sends it."""

    request: BulkRequest
    key: str | None
    now: datetime
    new_id: Callable[[], str]
    by: Caller = SERVER

    @property
    def digest(self) -> str:
        """The sha256 of what is asked for."""
        return hashlib.sha256(b"bulk " + json_of(self.request)).hexdigest()

    def key_of(self, job_id: str) -> str | None:
        """The key of the part of the call that is for one job."""
        if self.key is None:
            return None
        return hashlib.sha256(f"bulk {self.key} {job_id}".encode()).hexdigest()


@dataclass(frozen=True)
class BulkOutcome:
    """The JSON of a `BulkReply`; `replayed` if an earlier call with the same key made it."""

    body: bytes
    replayed: bool


def carry_out(database: Database, call: BulkCall) -> BulkOutcome:
    """Do what is asked for, by one transaction or few; the result of each job.

    Raises IdempotencyMismatch, and Unprocessable where too many jobs match.
    """
    with database.read() as tx:
        earlier = _earlier(tx, call)
        part = part_of(tx, call.request) if earlier is None else BulkPart([])
    if earlier is not None:
        return earlier
    try:
        return BulkOutcome(_done(database, call, part), replayed=False)
    except IntegrityError:
        # A concurrent call with the same key was faster: now its reply is there.
        with database.read() as tx:
            earlier = _earlier(tx, call)
        if earlier is None:
            raise
        return earlier


def _earlier(tx: Connection, call: BulkCall) -> BulkOutcome | None:
    before = idempotency.find(tx, call.key)
    if before is None:
        return None
    if before.body_sha256 != call.digest or before.reply is None:
        raise IdempotencyMismatch
    return BulkOutcome(before.reply.encode(), replayed=True)


def _done(database: Database, call: BulkCall, part: BulkPart) -> bytes:
    job_ids, size = part.job_ids, _BATCHES.get(call.request.action, MOST_JOBS)
    batches = [job_ids[start : start + size] for start in range(0, len(job_ids), size)] or [[]]
    results: list[BulkResult] = []
    for number, batch in enumerate(batches, 1):
        with database.write() as tx:
            results += _results(tx, call, batch)
            if number == len(batches):
                reply = BulkReply(
                    matched=len(results), results=tuple(results), next=part.next, left=part.left
                )
                body = json_of(reply)
                if call.key is not None:
                    idempotency.add_reply(tx, call.key, call.digest, body.decode(), call.now)
    return body


def _results(tx: Connection, call: BulkCall, job_ids: Sequence[str]) -> list[BulkResult]:
    """The results of jobs in their order; one that the filter does not mean any more has none."""
    wanted = call.request.filter
    if call.request.action in _ALSO_OF_PARTS:
        search_family.lock_with_parts(tx, job_ids)
    narrowed = conditions(tx.dialect.name, filter_of(wanted)) if wanted is not None else ()
    rows = {row.job.id: row for row in store.lock_all(tx, job_ids, narrowed)}
    present = [rows[job_id] for job_id in job_ids if job_id in rows]
    results = {each.id: each for each in _refused_others(call, present)}
    own = [row for row in present if row.job.id not in results]
    each_result = _each_alone if call.request.action in _BATCHES else _all_together
    results |= {result.id: result for result in each_result(tx, call, own)}
    if wanted is None:
        results |= _results_of_missing(tx, call, [each for each in job_ids if each not in rows])
    return [results[job_id] for job_id in job_ids if job_id in results]


def _results_of_missing(
    tx: Connection, call: BulkCall, job_ids: Sequence[str]
) -> dict[str, BulkResult]:
    """By id: deleted, where this call came before and was cut off, else refused."""
    keys = {job_id: call.key_of(job_id) for job_id in job_ids}
    stored = idempotency.find_all(tx, [key for key in keys.values() if key is not None])
    return {
        job_id: BulkResult(id=job_id, ok=True)
        if key in stored and stored[key].body_sha256 == call.digest
        else _refused(job_id, NotFound("no_such_job", f"there is no job {job_id}"))
        for job_id, key in keys.items()
    }


def _refused_others(call: BulkCall, rows: Sequence[StoredJob]) -> Iterator[BulkResult]:
    for row in rows:
        try:
            require_owner(call.by, row.job.id, row.job.submitted_by)
        except Forbidden as error:
            yield _refused(row.job.id, error)


def _all_together(
    tx: Connection, call: BulkCall, rows: Sequence[StoredJob]
) -> Iterator[BulkResult]:
    changes: list[tuple[Job, JobChange]] = []
    change_of = _change_of(tx, call, rows)
    for row in rows:
        try:
            change = change_of(row)
        except TrainyardError as error:
            yield _refused(row.job.id, error)
            continue
        changes.append((row.job, change))
        yield _changed(row.job, change)
    store_changes(tx, changes, call.now)
    changed = [job for job, _ in changes]
    if call.request.action in _EDITS:
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


def _each_alone(tx: Connection, call: BulkCall, rows: Sequence[StoredJob]) -> Iterator[BulkResult]:
    for row in rows:
        job_id = row.job.id
        try:
            if call.request.action == "delete":
                _delete(tx, call, job_id)
                yield BulkResult(id=job_id, ok=True)
            else:
                yield BulkResult(id=job_id, ok=True, job=_retried(tx, call, job_id))
        except TrainyardError as error:
            yield _refused(job_id, error)


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


def _refused(job_id: str, error: TrainyardError) -> BulkResult:
    problem = BulkProblem(code=error.code, detail=error.message)
    return BulkResult(id=job_id, ok=False, problem=problem)
