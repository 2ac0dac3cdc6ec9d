"""How a checked submission becomes a queued job, once, however often it is sent."""

import hashlib
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from service.contract.jobs import Job, JobState, Progress
from service.contract.specs import AnySpec
from service.control.jobs.queue_views import job_views
from service.domain.errors import IdempotencyMismatch
from service.store import history, idempotency, jobs


@dataclass(frozen=True)
class SubmissionResult:
    """The job of a submission; `replayed` if the same one came before with the same key."""

    job: Job
    replayed: bool


@dataclass(frozen=True)
class SubmissionKey:
    """What came with a submission: the key, if any, and the words it stands for."""

    key: str | None
    words: str

    @property
    def digest(self) -> str:
        """The sha256 of the words."""
        return hashlib.sha256(self.words.encode()).hexdigest()


def replayed(tx: Connection, asked: SubmissionKey) -> SubmissionResult | None:
    """The job that this submission made before; raises IdempotencyMismatch."""
    before = idempotency.find(tx, asked.key) if asked.key is not None else None
    if before is None:
        return None
    if before.body_sha256 != asked.digest:
        raise IdempotencyMismatch
    return SubmissionResult(_shown(tx, before.job_id), replayed=True)


def new_job(
    spec: AnySpec,
    *,
    job_id: str,
    recipe: str | None,
    variant: str | None,
    progress: Progress,
    now: datetime,
    parent_job_id: str | None = None,
) -> Job:
    """A job that nobody has claimed yet; what its spec says of it, it has."""
    return Job(
        id=job_id,
        kind=spec.kind,
        recipe=recipe,
        variant=variant,
        name=spec.name,
        labels=spec.labels,
        state=JobState.QUEUED,
        created_at=now,
        progress=progress,
        parent_job_id=parent_job_id,
        spec=spec,
    )


def enqueue(
    tx: Connection, job: Job, source_id: str | None, asked: SubmissionKey, *, said: str
) -> SubmissionResult:
    """Store a checked job and its key, and begin its history with `said`."""
    jobs.add(tx, job, source_id)
    if asked.key is not None:
        idempotency.add(tx, asked.key, asked.digest, job.id, job.created_at)
    history.note(tx, job.id, None, "submitted", said, job.created_at)
    return SubmissionResult(_shown(tx, job.id), replayed=False)


def _shown(tx: Connection, job_id: str) -> Job:
    found = jobs.get(tx, job_id)
    assert found is not None
    return job_views(tx, [found])[0]
