"""Jobs in the database."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    bindparam,
    delete,
    select,
    update,
)

from service.contract.jobs import ENDED_JOBS, Job, JobState
from service.contract.reading import member
from service.contract.specs import CheckDataSpec, NetworkSpec, SearchSpec
from service.contract.stored_specs import StoredSpec, recipe_parameters, spec_as_stored
from service.domain.gpu_counts import gpu_counts_of
from service.domain.offers import JobNeeds, JobNetwork
from service.store.checkpoint_tables import checkpoints
from service.store.job_reading import (
    job_of_row,
    job_of_short_row,
    select_jobs,
    select_short_jobs,
)
from service.store.job_rows import NEW_JOBS, StoredJob, columns_of
from service.store.tables import jobs

_VERSION = {
    "qmark": "SELECT version, state FROM jobs WHERE id = ?",
    "pyformat": "SELECT version, state FROM jobs WHERE id = %s",
}
"""By the form in which a driver takes parameters."""


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
    if isinstance(spec, NetworkSpec | CheckDataSpec | SearchSpec):
        data_forms = spec.data.forms
    counts = gpu_counts_of(spec)
    return JobNeeds(
        counts[0] if counts else resources.gpu_count,
        resources.labels,
        job.kind,
        job.recipe,
        forms,
        data_forms,
        resources.hosts,
        counts,
    )


def get(tx: Connection, job_id: str, *, lock: bool = False) -> StoredJob | None:
    """One job; `lock` locks its row until this transaction ends."""
    query = select_jobs(tx).where(jobs.c.id == job_id)
    row = tx.execute(query.with_for_update() if lock else query).first()
    return job_of_row(row) if row is not None else None


def get_short(tx: Connection, job_id: str) -> StoredJob | None:
    """One job without what a list leaves out of it."""
    row = tx.execute(select_short_jobs(tx).where(jobs.c.id == job_id)).first()
    return job_of_short_row(row) if row is not None else None


def get_all(tx: Connection, job_ids: Collection[str]) -> dict[str, StoredJob]:
    """By id those of the jobs that are there."""
    rows = tx.execute(select_jobs(tx).where(jobs.c.id.in_(sorted(job_ids))))
    return {stored.job.id: stored for stored in map(job_of_row, rows)}


def lock_all(
    tx: Connection, job_ids: Collection[str], wanted: Sequence[ColumnElement[bool]] = ()
) -> list[StoredJob]:
    """Those of the jobs that are there, and for which the conditions hold, by id.

    Locks them until this transaction ends, in the order that every caller keeps.
    """
    query = select_jobs(tx).where(jobs.c.id.in_(sorted(job_ids)), *wanted).order_by(jobs.c.id)
    return [job_of_row(row) for row in tx.execute(query.with_for_update())]


def lock(tx: Connection, job_ids: Collection[str]) -> None:
    """Lock jobs until this transaction ends, in the order of ids that every caller keeps."""
    query = select(jobs.c.id).where(jobs.c.id.in_(sorted(job_ids))).order_by(jobs.c.id)
    tx.execute(query.with_for_update())


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


def change_all(tx: Connection, values: Mapping[str, Mapping[str, Any]]) -> None:
    """Set columns of jobs, by id, that the caller has locked; counts their versions.

    One statement for all that have the same columns.
    """
    by_names: dict[tuple[str, ...], list[dict[str, Any]]] = {}
    for job_id, columns in values.items():
        row = {f"new_{name}": value for name, value in columns.items()}
        by_names.setdefault(tuple(columns), []).append(row | {"of_job": job_id})
    for names, rows in by_names.items():
        new = {name: bindparam(f"new_{name}", type_=jobs.c[name].type) for name in names}
        statement = update(jobs).where(jobs.c.id == bindparam("of_job"))
        tx.execute(statement.values(**new, version=jobs.c.version + 1), rows)


def raise_attempt(tx: Connection, job_id: str, number: int) -> None:
    """Count the attempts from `number` on, so that no later one writes into its folder.

    Counts the version.
    """
    statement = update(jobs).where(jobs.c.id == job_id, jobs.c.attempt < number)
    tx.execute(statement.values(attempt=number, version=jobs.c.version + 1))


def edited_columns(spec: StoredSpec) -> dict[str, Any]:
    """The columns that have what of a job can be edited, as its spec has them."""
    return {
        "name": spec.name,
        "labels": spec.labels,
        "queue_order": -spec.priority,
        "preemptible": spec.preemptible,
        "spec": spec_as_stored(spec),
    }


def delete_job(tx: Connection, job_id: str) -> None:
    """Delete a job's row."""
    tx.execute(delete(jobs).where(jobs.c.id == job_id))


def version_of(tx: Connection, job_id: str) -> tuple[int, JobState] | None:
    """A job's version, which counts its changes, and its state: all that a poll needs first."""
    # As text: building and reading a query of tables costs more than all the rest of a poll.
    row = tx.exec_driver_sql(_VERSION[tx.dialect.paramstyle], (job_id,)).first()
    return (row[0], member(JobState, row[1])) if row is not None else None


def versions_of(tx: Connection, job_ids: Collection[str]) -> dict[str, int]:
    """By id the versions of those of the jobs that are there."""
    query = select(jobs.c.id, jobs.c.version).where(jobs.c.id.in_(job_ids))
    return {job_id: version for job_id, version in tx.execute(query)}


def network_of(tx: Connection, job_id: str) -> JobNetwork:
    """The variant and the parameters of a job's recipe, as they were checked."""
    columns = (jobs.c.kind, jobs.c.spec, jobs.c.variant)
    kind, spec, variant = tx.execute(select(*columns).where(jobs.c.id == job_id)).one()
    params = spec.get(recipe_parameters(kind)) if isinstance(spec, dict) else None
    return JobNetwork(variant, params if isinstance(params, dict) else {})


def of_source(tx: Connection, kind: str, checkpoint_id: str) -> list[StoredJob]:
    """The jobs of a kind with this source that have a result or may get one, newest first."""
    query = select_jobs(tx).where(
        jobs.c.source_checkpoint == checkpoint_id,
        # By no index of the kind: SQLite would read all jobs of it.
        (jobs.c.kind + "") == kind,
        jobs.c.state.not_in((JobState.FAILED, JobState.CANCELLED, JobState.CANCELLING)),
    )
    return [job_of_row(row) for row in tx.execute(query.order_by(jobs.c.id.desc()))]


def sources_in_use(tx: Connection, job_id: str) -> set[str]:
    """Checkpoints of a job from which a job that has not ended starts, or which it evaluates."""
    own = select(checkpoints.c.id).where(checkpoints.c.job_id == job_id)
    query = select(jobs.c.source_checkpoint).where(
        jobs.c.source_checkpoint.in_(own),
        # By the index of the sources: of jobs that have not ended there may be thousands.
        (jobs.c.state + "").not_in(ENDED_JOBS),
    )
    return set(tx.execute(query).scalars())


def users_of(tx: Connection, checkpoint_id: str, *, live: bool = False) -> list[str]:
    """The jobs whose source is this checkpoint, oldest first; `live` leaves out the ended ones."""
    query = select(jobs.c.id).where(jobs.c.source_checkpoint == checkpoint_id)
    if live:
        query = query.where(jobs.c.state.not_in(ENDED_JOBS))
    return list(tx.execute(query.order_by(jobs.c.id).limit(1000)).scalars())
