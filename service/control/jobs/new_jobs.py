"""A new job of any kind: its row, its key and the first entry of its history."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from service.contract.jobs import Job, JobState
from service.contract.request_origin import RequestOrigin
from service.contract.traces import TRACEPARENT
from service.control.kinds import kind_of
from service.control.kinds.base import CheckedSubmission
from service.domain.access import SERVER, Caller
from service.domain.offers import JobNeeds
from service.store import audit, history, idempotency, job_traces, jobs
from service.store.audit import Act
from service.store.history import Entry
from service.store.idempotency import StoredKey
from service.store.job_rows import StoredJob


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
