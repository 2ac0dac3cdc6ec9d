"""Jobs in the database."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    Connection,
    delete,
    select,
    update,
)

from service.contract.jobs import ENDED_JOBS, Job, JobState
from service.contract.reading import member
from service.contract.specs import CheckDataSpec, NetworkSpec
from service.contract.stored_specs import spec_as_stored
from service.domain.offers import JobNeeds
from service.store.job_reading import job_of_row, select_jobs
from service.store.job_rows import NEW_JOBS, StoredJob, columns_of
from service.store.tables import jobs

_VERSION = {
    "qmark": "SELECT version, state FROM jobs WHERE id = ?",
    "pyformat": "SELECT version, state FROM jobs WHERE id = %s",
}
"""By the form in which a driver takes parameters."""


@dataclass(frozen=True)
class JobFilter:
    """What a list of jobs is narrowed to; None is no limit."""

    state: JobState | None = None
    kind: str | None = None
    recipe: str | None = None
    label: tuple[str, str] | None = None
    after: str | None = None
    limit: int = 20


def add(tx: Connection, job: Job, source_checkpoint: str | None) -> None:
    """Store a new job that can run in any form of its recipe."""
    add_all(tx, [new_row(job, source_checkpoint, forms=None)])


def new_row(job: Job, source_checkpoint: str | None, forms: frozenset[str] | None) -> StoredJob:
    """The row of a new job; `forms` are the recipe's that its parameters were checked with.

    They are named by their digests; None is any form.
    """
    return StoredJob(
        job=job,
        needs=needs_of(job, forms),
        failures=0,
        worker_losses=0,
        not_before=None,
        stop_mode=None,
        source_checkpoint=source_checkpoint,
    )


def add_all(tx: Connection, new: Sequence[StoredJob]) -> None:
    """Store new jobs."""
    NEW_JOBS.add(tx, [columns_of(each) for each in new])


def needs_of(job: Job, forms: frozenset[str] | None) -> JobNeeds:
    """What a new job needs of a worker."""
    spec, resources = job.spec, job.spec.resources
    data_forms: frozenset[str] = frozenset()
    if isinstance(spec, NetworkSpec | CheckDataSpec):
        data_forms = spec.data.forms
    return JobNeeds(resources.gpus, resources.labels, job.kind, job.recipe, forms, data_forms)


def get(tx: Connection, job_id: str, *, lock: bool = False) -> StoredJob | None:
    """One job; `lock` locks its row until this transaction ends."""
    query = select_jobs(tx).where(jobs.c.id == job_id)
    row = tx.execute(query.with_for_update() if lock else query).first()
    return job_of_row(row) if row is not None else None


def lock(tx: Connection, job_ids: Collection[str]) -> None:
    """Lock jobs until this transaction ends, in the order of ids that every caller keeps."""
    query = select(jobs.c.id).where(jobs.c.id.in_(sorted(job_ids))).order_by(jobs.c.id)
    tx.execute(query.with_for_update())


def page(tx: Connection, job_filter: JobFilter) -> list[StoredJob]:
    """Jobs, newest first; one more than the limit where there are more."""
    query = select_jobs(tx).order_by(jobs.c.id.desc()).limit(job_filter.limit + 1)
    for column, value in (
        (jobs.c.state, job_filter.state),
        (jobs.c.kind, job_filter.kind),
        (jobs.c.recipe, job_filter.recipe),
    ):
        if value is not None:
            query = query.where(column == value)
    if job_filter.label is not None:
        key, text = job_filter.label
        query = query.where(jobs.c.labels[key].as_string() == text)
    if job_filter.after is not None:
        query = query.where(jobs.c.id < job_filter.after)
    return [job_of_row(row) for row in tx.execute(query)]


def change(
    tx: Connection, job_id: str, states: Sequence[JobState], values: Mapping[str, Any]
) -> bool:
    """Set columns of a job that is in one of `states`; False if it is not. Counts the version."""
    statement = (
        update(jobs)
        .where(jobs.c.id == job_id, jobs.c.state.in_(states))
        .values(**values, version=jobs.c.version + 1)
    )
    return tx.execute(statement).rowcount == 1


def raise_attempt(tx: Connection, job_id: str, number: int) -> None:
    """Count the attempts from `number` on, so that no later one writes into its folder.

    Counts the version.
    """
    statement = update(jobs).where(jobs.c.id == job_id, jobs.c.attempt < number)
    tx.execute(statement.values(attempt=number, version=jobs.c.version + 1))


def edit(tx: Connection, job: Job) -> None:
    """Store a job's name, labels and priority as its spec has them. Counts the version."""
    values = {
        "name": job.spec.name,
        "labels": job.spec.labels,
        "queue_order": -job.spec.priority,
        "spec": spec_as_stored(job.spec),
    }
    changed = change(tx, job.id, [job.state], values)
    assert changed, "the caller has locked the job"


def delete_job(tx: Connection, job_id: str) -> None:
    """Delete a job's row."""
    tx.execute(delete(jobs).where(jobs.c.id == job_id))


def version_of(tx: Connection, job_id: str) -> tuple[int, JobState] | None:
    """A job's version, which counts its changes, and its state: all that a poll needs first."""
    # As text: building and reading a query of tables costs more than all the rest of a poll.
    row = tx.exec_driver_sql(_VERSION[tx.dialect.paramstyle], (job_id,)).first()
    return (row[0], member(JobState, row[1])) if row is not None else None


def parameters_of(tx: Connection, job_id: str) -> dict[str, Any]:
    """The parameters of a job, as they were checked; none where its spec has no object of them."""
    spec = tx.execute(select(jobs.c.spec).where(jobs.c.id == job_id)).scalar_one()
    params = spec.get("params") if isinstance(spec, dict) else None
    return params if isinstance(params, dict) else {}


def of_source(tx: Connection, kind: str, checkpoint_id: str) -> list[StoredJob]:
    """The jobs of a kind with this source that have a result or may get one, newest first."""
    query = select_jobs(tx).where(
        jobs.c.source_checkpoint == checkpoint_id,
        jobs.c.kind == kind,
        jobs.c.state.not_in((JobState.FAILED, JobState.CANCELLED, JobState.CANCELLING)),
    )
    return [job_of_row(row) for row in tx.execute(query.order_by(jobs.c.id.desc()))]


def sources_in_use(tx: Connection) -> set[str]:
    """Checkpoints from which a job that has not ended starts or evaluates."""
    live = [state for state in JobState if state not in ENDED_JOBS]
    query = select(jobs.c.source_checkpoint).where(
        jobs.c.state.in_(live), jobs.c.source_checkpoint.is_not(None)
    )
    return set(tx.execute(query).scalars())


def users_of(tx: Connection, checkpoint_id: str, *, live: bool = False) -> list[str]:
    """The jobs whose source is this checkpoint, oldest first; `live` leaves out the ended ones."""
    query = select(jobs.c.id).where(jobs.c.source_checkpoint == checkpoint_id)
    if live:
        query = query.where(jobs.c.state.not_in(ENDED_JOBS))
    return list(tx.execute(query.order_by(jobs.c.id).limit(1000)).scalars())
