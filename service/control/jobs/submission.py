"""How a submission of any kind becomes a queued job, once, however often it is sent."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from service.contract.hints import Explanation
from service.contract.specs import AnySpec
from service.control.jobs.new_jobs import NewJob, SubmissionKey, new_job, store
from service.control.kinds import kind_of
from service.control.kinds.hints import size_note
from service.control.scheduling import present_catalogs
from service.control.scheduling.catalogs import form_of
from service.control.scheduling.class_limit import check_class_limit
from service.domain.access import SERVER, Caller
from service.domain.errors import Gone, IdempotencyMismatch, Unprocessable
from service.store import idempotency, jobs
from service.store.idempotency import StoredKey


@dataclass(frozen=True)
class SubmissionResult:
    """The job of a submission; `replayed` if the same one came before with the same key."""

    job_id: str
    replayed: bool


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
