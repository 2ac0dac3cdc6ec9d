"""Jobs in the database."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import TypeAdapter, ValidationError
from sqlalchemy import (
    Connection,
    RowMapping,
    delete,
    insert,
    select,
    update,
)

from service.contract.jobs import ENDED_JOBS, Job, JobState, Progress, Reason
from service.contract.reading import log_once, log_unknown_fields, member
from service.contract.specs import AnySpec, Resources
from service.contract.stored_specs import StoredSpec, UnreadableSpec, spec_as_stored
from service.domain.offers import JobNeeds
from service.store.job_needs import column_of_needs, needs_of_column
from service.store.tables import jobs

_SPEC: TypeAdapter[AnySpec | UnreadableSpec] = TypeAdapter(StoredSpec)


@dataclass(frozen=True)
class StoredJob:
    """A job as users see it, and what only the control plane knows of it."""

    job: Job
    needs: JobNeeds
    failures: int
    worker_losses: int
    not_before: datetime | None
    stop_mode: str | None
    source_checkpoint: str | None


@dataclass(frozen=True)
class JobFilter:
    """What a list of jobs is narrowed to; None is no limit."""

    state: JobState | None = None
    kind: str | None = None
    recipe: str | None = None
    label: tuple[str, str] | None = None
    after: str | None = None
    limit: int = 20


def add(
    tx: Connection,
    job: Job,
    source_checkpoint: str | None,
    *,
    forms: frozenset[str] | None = None,
) -> None:
    """Store a new job; `forms` are the recipe's that its parameters were checked with, by digest.

    None is any form.
    """
    resources = job.spec.resources
    needs = JobNeeds(resources.gpus, resources.labels, job.kind, job.recipe, forms)
    tx.execute(
        insert(jobs).values(
            **_dumped(job),
            queue_order=-job.spec.priority,
            gpus=needs.gpus,
            needs=column_of_needs(needs),
            failures=0,
            worker_losses=0,
            source_checkpoint=source_checkpoint,
        )
    )


def get(tx: Connection, job_id: str, *, lock: bool = False) -> StoredJob | None:
    """One job; `lock` locks its row until this transaction ends."""
    query = select(jobs).where(jobs.c.id == job_id)
    row = tx.execute(query.with_for_update() if lock else query).mappings().first()
    return _stored(row) if row is not None else None


def lock(tx: Connection, job_ids: Collection[str]) -> None:
    """Lock jobs until this transaction ends, in the order of ids that every caller keeps."""
    query = select(jobs.c.id).where(jobs.c.id.in_(sorted(job_ids))).order_by(jobs.c.id)
    tx.execute(query.with_for_update())


def page(tx: Connection, job_filter: JobFilter) -> list[StoredJob]:
    """Jobs, newest first; one more than the limit where there are more."""
    query = select(jobs).order_by(jobs.c.id.desc()).limit(job_filter.limit + 1)
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
    return [_stored(row) for row in tx.execute(query).mappings()]


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
    """Count the attempts from `number` on, so that no later one writes into its folder."""
    statement = update(jobs).where(jobs.c.id == job_id, jobs.c.attempt < number)
    tx.execute(statement.values(attempt=number))


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
    row = tx.execute(select(jobs.c.version, jobs.c.state).where(jobs.c.id == job_id)).first()
    return (row.version, member(JobState, row.state)) if row is not None else None


def parameters_of(tx: Connection, job_id: str) -> dict[str, Any]:
    """The parameters of a job, as they were checked; none where its spec has no object of them."""
    spec = tx.execute(select(jobs.c.spec).where(jobs.c.id == job_id)).scalar_one()
    params = spec.get("params") if isinstance(spec, dict) else None
    return params if isinstance(params, dict) else {}


def of_source(tx: Connection, kind: str, checkpoint_id: str) -> list[StoredJob]:
    """The jobs of a kind with this source that have a result or may get one, newest first."""
    query = select(jobs).where(
        jobs.c.source_checkpoint == checkpoint_id,
        jobs.c.kind == kind,
        jobs.c.state.not_in((JobState.FAILED, JobState.CANCELLED, JobState.CANCELLING)),
    )
    return [_stored(row) for row in tx.execute(query.order_by(jobs.c.id.desc())).mappings()]


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


def _dumped(job: Job) -> dict[str, Any]:
    columns = job.model_dump(
        exclude={
            "object",
            "queue_position",
            "wait_reason",
            "unreadable",
            "actions",
            "spec",
            "progress",
        }
    )
    return columns | {
        "spec": spec_as_stored(job.spec),
        "progress": job.progress.model_dump(mode="json"),
    }


def _stored(row: RowMapping) -> StoredJob:
    names = [name for name in Job.model_fields if name in row and name not in ("spec", "progress")]
    spec = _spec(row)
    job = Job.model_construct(
        **{name: row[name] for name in names}
        | {
            "labels": _labels(row),
            "metrics": _metrics(row),
            "result": _result(row),
            "state": member(JobState, row["state"]),
            "reason": member(Reason, row["reason"]) if row["reason"] else None,
            "spec": spec,
            "unreadable": spec.problem if isinstance(spec, UnreadableSpec) else None,
            "progress": _progress(row["progress"]),
        }
    )
    return StoredJob(
        job=job,
        needs=needs_of_column(row["needs"], row["gpus"]),
        failures=row["failures"],
        worker_losses=row["worker_losses"],
        not_before=row["not_before"],
        stop_mode=row["stop_mode"],
        source_checkpoint=row["source_checkpoint"],
    )


def _spec(row: RowMapping) -> AnySpec | UnreadableSpec:
    spec = _SPEC.validate_python(row["spec"])
    log_unknown_fields(spec)
    if not isinstance(spec, UnreadableSpec):
        return spec
    log_once("unreadable_spec", f"{row['id']}: {spec.problem}")
    needs = needs_of_column(row["needs"], row["gpus"])
    columns = {
        "kind": row["kind"],
        "name": row["name"],
        "labels": _labels(row),
        "priority": -row["queue_order"],
        "resources": Resources(gpus=needs.gpus, labels=dict(needs.labels)),
    }
    return spec.model_copy(update=columns)


def _labels(row: RowMapping) -> dict[str, str]:
    labels = {key: each for key, each in _object(row["labels"]).items() if isinstance(each, str)}
    if labels != row["labels"]:
        log_once("unreadable_labels", f"{row['id']}: {row['labels']!r:.200}")
    return labels


def _metrics(row: RowMapping) -> dict[str, float]:
    metrics = {
        name: each
        for name, each in _object(row["metrics"]).items()
        if isinstance(each, int | float) and not isinstance(each, bool)
    }
    if metrics != row["metrics"]:
        log_once("unreadable_metrics", f"{row['id']}: {row['metrics']!r:.200}")
    return metrics


def _result(row: RowMapping) -> dict[str, Any] | None:
    if row["result"] is None or isinstance(row["result"], dict):
        return row["result"]
    log_once("unreadable_result", f"{row['id']}: {row['result']!r:.200}")
    return None


def _object(stored: Any) -> dict[str, Any]:
    return stored if isinstance(stored, dict) else {}


def _progress(stored: Any) -> Progress:
    try:
        return Progress.model_validate(stored)
    except ValidationError:
        log_once("unreadable_progress", str(stored)[:200])
        return Progress(total_steps=0)
