"""How a submission of any kind becomes a queued job, once, however often it is sent."""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from service.contract.jobs import Job, JobState
from service.contract.specs import AnySpec
from service.control.kinds import kind_of
from service.control.kinds.base import CheckedSubmission
from service.control.scheduling.catalogs import form_of
from service.control.scheduling.class_limit import check_class_limit
from service.domain.errors import Gone, IdempotencyMismatch, Unprocessable
from service.store import history, idempotency, jobs


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


def submit(
    tx: Connection, spec: AnySpec, *, job_id: str, key: str | None, now: datetime
) -> SubmissionResult:
    """Queue a job; raises IdempotencyMismatch, Gone, and what the kind's check raises."""
    submission_key = SubmissionKey(key, spec.model_dump_json())
    try:
        earlier = replayed(tx, submission_key)
    except IdempotencyMismatch:
        earlier = _same_when_completed(tx, spec, submission_key)
    if earlier is not None:
        return earlier
    kind = kind_of(spec)
    checked = kind.check(tx, kind.complete(tx, spec))
    form = form_of(tx, checked.recipe) if checked.recipe is not None else None
    return enqueue(
        tx,
        checked,
        submission_key,
        forms=frozenset([form.digest]) if form is not None else None,
        job_id=job_id,
        message=f"submitted: {kind.title(checked.spec)}",
        now=now,
    )


def complete(tx: Connection, spec: AnySpec) -> AnySpec:
    """The submission as it would be stored, which it is not; raises what the kind's check does."""
    kind = kind_of(spec)
    completed: AnySpec = kind.check(tx, kind.complete(tx, spec)).spec
    return completed


def replayed(tx: Connection, submission_key: SubmissionKey) -> SubmissionResult | None:
    """The job that this submission made before; raises IdempotencyMismatch, Gone."""
    key = submission_key.key
    before = idempotency.find(tx, key) if key is not None else None
    if before is None:
        return None
    if before.body_sha256 != submission_key.digest:
        raise IdempotencyMismatch
    if jobs.version_of(tx, before.job_id) is None:
        message = f"this key made {before.job_id}, which is deleted; a new key makes a new job"
        raise Gone("job_deleted", message)
    return SubmissionResult(before.job_id, replayed=True)


def _same_when_completed(
    tx: Connection, spec: AnySpec, submission_key: SubmissionKey
) -> SubmissionResult:
    # The same job with its defaults written out; a key that an older version stored stands for the
    # completed submission, too.
    assert submission_key.key is not None
    before = idempotency.find(tx, submission_key.key)
    stored = jobs.get(tx, before.job_id) if before is not None else None
    try:
        completed = complete(tx, spec)
    except Unprocessable:
        raise IdempotencyMismatch from None
    if stored is None or stored.job.spec != completed:
        raise IdempotencyMismatch
    return SubmissionResult(stored.job.id, replayed=True)


def enqueue(
    tx: Connection,
    checked: CheckedSubmission[Any],
    submission_key: SubmissionKey,
    *,
    forms: frozenset[str] | None,
    job_id: str,
    message: str,
    now: datetime,
    parent_job_id: str | None = None,
) -> SubmissionResult:
    """Store the job of a checked submission and its key, and begin its history with `message`.

    `forms` are the digests of the recipe's forms that its parameters were checked with. Raises
    Conflict if the queue has too many resource classes.
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
        parent_job_id=parent_job_id,
        spec=spec,
    )
    check_class_limit(tx, jobs.needs_of(job, forms))
    source_id = checked.source.id if checked.source is not None else None
    jobs.add(tx, job, source_id, forms=forms)
    if submission_key.key is not None:
        idempotency.add(tx, submission_key.key, submission_key.digest, job_id, now)
    history.note(tx, job_id, None, "submitted", message, now)
    return SubmissionResult(job_id, replayed=False)
