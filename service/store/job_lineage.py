"""From a job to those that it comes from, and to those that came of it."""

from typing import Any

from sqlalchemy import Connection, RowMapping, Select, select, union

from service.contract.job_lineage import RelatedJob, SourceCheckpoint
from service.store.checkpoint_tables import checkpoints
from service.store.result_numbers import metrics_of_numbers, numbers_of_result
from service.store.tables import jobs


def job_of(tx: Connection, job_id: str) -> RelatedJob | None:
    """One job as an entry of a lineage; None if there is none."""
    row = tx.execute(_select(tx).where(jobs.c.id == job_id)).mappings().first()
    return _related(row) if row is not None else None


def source_of(tx: Connection, checkpoint_id: str) -> SourceCheckpoint:
    """A checkpoint and the job that saved it, as far as they are there."""
    query = select(checkpoints.c.step, checkpoints.c.job_id)
    row = tx.execute(query.where(checkpoints.c.id == checkpoint_id)).first()
    if row is None:
        return SourceCheckpoint(id=checkpoint_id)
    job = job_of(tx, row.job_id)
    return SourceCheckpoint(id=checkpoint_id, step=row.step, job_id=row.job_id, job=job)


def descendants_of(tx: Connection, job_id: str, limit: int) -> list[RelatedJob]:
    """The retries of a job, and the jobs with a checkpoint of it as their source, newest first."""
    own = select(checkpoints.c.id).where(checkpoints.c.job_id == job_id)
    # Each of the two is found by an index; a condition that joins them is by none.
    ids = union(
        select(jobs.c.id).where(jobs.c.parent_job_id == job_id),
        select(jobs.c.id).where(jobs.c.source_checkpoint.in_(own), jobs.c.id != job_id),
    )
    query = _select(tx).where(jobs.c.id.in_(ids)).order_by(jobs.c.id.desc()).limit(limit)
    return [_related(row) for row in tx.execute(query).mappings()]


def _select(tx: Connection) -> Select[Any]:
    return select(
        jobs.c.id,
        jobs.c.kind,
        jobs.c.name,
        jobs.c.state,
        jobs.c.created_at,
        jobs.c.parent_job_id,
        jobs.c.source_checkpoint,
        numbers_of_result(tx.dialect.name).label("metrics"),
    )


def _related(row: RowMapping) -> RelatedJob:
    return RelatedJob.model_validate({**row, "metrics": metrics_of_numbers(row["metrics"])})
