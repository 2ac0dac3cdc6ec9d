"""The span by which each job was submitted, where traces are on: no other job has a row."""

from collections.abc import Sequence

from sqlalchemy import Connection, delete, insert, select

from service.store.tables import job_traces, jobs


def add_all(tx: Connection, traceparents: Sequence[tuple[str, str]]) -> None:
    """Store the traceparents of new jobs, as (job id, traceparent)."""
    if traceparents:
        rows = [{"job_id": job_id, "traceparent": parent} for job_id, parent in traceparents]
        tx.execute(insert(job_traces), rows)


def of_job(tx: Connection, job_id: str) -> str | None:
    """The traceparent of a job; None where there is none."""
    query = select(job_traces.c.traceparent).where(job_traces.c.job_id == job_id)
    return tx.execute(query).scalar_one_or_none()


def delete_jobless(tx: Connection, limit: int) -> int:
    """Delete at most `limit` rows of jobs that are deleted; how many."""
    has_job = select(jobs.c.id).where(jobs.c.id == job_traces.c.job_id).exists()
    ids = select(job_traces.c.job_id).where(~has_job).limit(limit)
    return tx.execute(delete(job_traces).where(job_traces.c.job_id.in_(ids))).rowcount
