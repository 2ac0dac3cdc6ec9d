"""How a submission of any kind becomes a queued job, once, however often it is sent."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from service.contract.hints import Explanation
from service.contract.jobs import Job, JobState
from service.contract.request_origin import RequestOrigin
from service.contract.specs import AnySpec
from service.contract.traces import TRACEPARENT
from service.control.kinds import kind_of
from service.control.kinds.base import CheckedSubmission
from service.control.kinds.hints import size_note
from service.control.scheduling import present_catalogs
from service.control.scheduling.catalogs import form_of
from service.control.scheduling.class_limit import check_class_limit
from service.domain.access import SERVER, Caller
from service.domain.errors import Gone, IdempotencyMismatch, Unprocessable
from service.domain.offers import JobNeeds
from service.store import audit, history, idempotency, job_traces, jobs
from service.store.audit import Act
from service.store.history import Entry
from service.store.idempotency import StoredKey
from service.store.job_rows import StoredJob


@dataclass(frozen=True)
class SubmissionResult:
    """The job of a submission; `replayed` if the same one came before with the same key."""

    job_id: str
    replayed: bool


@dataclass(frozen=True)
class SubmissionKey:
    """The idempotency key of a call, if it has one, and the text that it stands for."""

    key: str | None
    text: str

    @property
    def digest(self) -> str:
        """The sha256 of the text."""
        return hashlib.sha256(self.text.encode()).hexdigest()


@dataclass(frozen=True)
class NewJob:
    """A job that may be stored, with its key and the first entry of its history."""

    stored: StoredJob
    key: SubmissionKey
    message: str
    request_id: str | None = None
    """Of the request that asks for it, where the request is not the one being answered."""

    traceparent: str | None = None
    """Of the same request, where it is traced."""
    origin: RequestOrigin | None = None
    """The same request, for the audit list."""

    @property
    def job(self) -> Job:
        """The job as its users see it."""
        return self.stored.job

    @property
    def needs(self) -> JobNeeds:
        """What the job needs of a worker."""
        return self.stored.needs


def submit(
    tx: Connection,
    spec: AnySpec,
    *,
    job_id: str,
    key: str | None,
    now: datetime,
    by: Caller = SERVER,
) -> SubmissionResult:
    """Queue a job; raises IdempotencyMismatch, Gone, and what the kind's check raises."""
    submission_key = SubmissionKey(key, spec.model_dump_json())
    earlier = earlier_submission(tx, spec, submission_key, idempotency.find(tx, key))
    if earlier is not None:
        return earlier
    checked = checked_job(tx, spec, submission_key, job_id=job_id, now=now, by=by)
    check_class_limit(tx, checked.needs)
    store(tx, [checked])
    return SubmissionResult(job_id, replayed=False)


def checked_job(
    tx: Connection,
    spec: AnySpec,
    submission_key: SubmissionKey,
    *,
    job_id: str,
    now: datetime,
    by: Caller = SERVER,
) -> NewJob:
    """The job that a submission asks for, not stored yet; raises what the kind's check raises."""
    kind = kind_of(spec)
    with present_catalogs.read_once(tx):
        checked = kind.check(tx, kind.complete(tx, spec))
        form = form_of(tx, checked.recipe) if checked.recipe is not None else None
    return new_job(
        checked,
        submission_key,
        forms=frozenset([form.digest]) if form is not None else None,
        job_id=job_id,
        message=f"submitted: {kind.title(checked.spec)}{size_note(checked, form)}",
        now=now,
        by=by,
    )


def complete(tx: Connection, spec: AnySpec) -> AnySpec:
    """The submission as it would be stored, which it is not; raises what the kind's check does."""
    kind = kind_of(spec)
    completed: AnySpec = kind.check(tx, kind.complete(tx, spec)).spec
    return completed


def explain(tx: Connection, spec: AnySpec) -> Explanation:
    """As `complete`, with what is worth knowing of it."""
    kind = kind_of(spec)
    checked = kind.check(tx, kind.complete(tx, spec))
    return Explanation(spec=checked.spec, hints=tuple(kind.hints(tx, checked)))


def earlier_submission(
    tx: Connection, spec: AnySpec, submission_key: SubmissionKey, before: StoredKey | None
) -> SubmissionResult | None:
    """The job that this submission made when its key came `before`.

    Raises IdempotencyMismatch, Gone.
    """
    try:
        return replayed(tx, submission_key, before)
    except IdempotencyMismatch:
        assert before is not None
        return _same_when_completed(tx, spec, before)


def replayed(
    tx: Connection, submission_key: SubmissionKey, before: StoredKey | None
) -> SubmissionResult | None:
    """The job that was made when this key came `before`; raises IdempotencyMismatch, Gone."""
    if before is None:
        return None
    if before.body_sha256 != submission_key.digest:
        raise IdempotencyMismatch
    if jobs.version_of(tx, before.job_id) is None:
        message = f"this key made {before.job_id}, which is deleted; a new key makes a new job"
        raise Gone("job_deleted", message)
    return SubmissionResult(before.job_id, replayed=True)


def new_job(
    checked: CheckedSubmission[Any],
    submission_key: SubmissionKey,
    *,
    forms: frozenset[str] | None,
    job_id: str,
    message: str,
    now: datetime,
    by: Caller = SERVER,
    parent_job_id: str | None = None,
    part_of: str | None = None,
) -> NewJob:
    """The job of a checked submission, whose history begins with `message`.

    `forms` are the digests of the recipe's forms that its parameters were checked with; `part_of`
    is the search that it measures for.
    """
    spec = checked.spec
    job = Job(
        id=job_id,
        kind=spec.kind,
        recipe=checked.recipe,
        variant=checked.variant,
        name=spec.name,
        labels=spec.labels,
        state=JobState.QUEUED,
        created_at=now,
        progress=kind_of(spec).first_progress(spec),
        parent_job_id=parent_job_id or checked.search,
        part_of=part_of,
        submitted_by=by.name,
        spec=spec,
    )
    source_id = checked.source.id if checked.source is not None else None
    return NewJob(jobs.new_row(job, source_id, forms), submission_key, message)


def store(tx: Connection, new_jobs: Sequence[NewJob]) -> None:
    """Store new jobs, the first entries of their histories and their keys.

    Raises IntegrityError for a key that is stored by now.
    """
    jobs.add_all(tx, [each.stored for each in new_jobs])
    idempotency.add_all(
        tx,
        [
            StoredKey(each.key.key, each.key.digest, each.job.id, each.job.created_at)
            for each in new_jobs
            if each.key.key is not None
        ],
    )
    parent = TRACEPARENT.get()
    parents = [(each.job.id, each.traceparent or parent) for each in new_jobs]
    job_traces.add_all(tx, [(job_id, named) for job_id, named in parents if named is not None])
    history.note_all(
        tx,
        [
            Entry(
                each.job.id,
                "submitted",
                each.message,
                each.job.created_at,
                each.request_id,
                each.job.submitted_by,
            )
            for each in new_jobs
        ],
    )
    audit.note_all(
        tx,
        [Act(_action_of(each.job), each.job.id, each.message, each.origin) for each in new_jobs],
    )


def _action_of(job: Job) -> str:
    return f"checkpoint.{job.kind}" if job.kind in ("import", "export") else "job.submit"


def _same_when_completed(tx: Connection, spec: AnySpec, before: StoredKey) -> SubmissionResult:
    # The same job with its defaults written out; a key that an older version stored stands for the
    # completed submission, too.
    stored = jobs.get(tx, before.job_id)
    try:
        completed = complete(tx, spec)
    except Unprocessable:
        raise IdempotencyMismatch from None
    if stored is None or stored.job.spec != completed:
        raise IdempotencyMismatch
    return SubmissionResult(stored.job.id, replayed=True)
