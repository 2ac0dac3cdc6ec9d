"""Jobs that a user has deleted, until their folders on the volume are deleted too."""

from sqlalchemy import Connection, delete, insert, select

from service.store.tables import deleted_jobs


def add(tx: Connection, job_id: str) -> None:
    """Note that a job's logs and files are to be deleted."""
    # A reindex may bring a deleted job back, which is then deleted again.
    remove(tx, job_id)
    tx.execute(insert(deleted_jobs).values(job_id=job_id))


def pending(tx: Connection) -> list[str]:
    """The deleted jobs that may have files left on the volume."""
    return list(tx.execute(select(deleted_jobs.c.job_id)).scalars())


def is_pending(tx: Connection, job_id: str) -> bool:
    """Whether a deleted job may have files left on the volume."""
    query = select(deleted_jobs.c.job_id).where(deleted_jobs.c.job_id == job_id)
    return tx.execute(query).first() is not None


def remove(tx: Connection, job_id: str) -> None:
    """Note that nothing of a deleted job is left on the volume."""
    tx.execute(delete(deleted_jobs).where(deleted_jobs.c.job_id == job_id))
