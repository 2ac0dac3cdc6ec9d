"""Jobs that a user has deleted, until what they left on the volume is gone too."""

from sqlalchemy import Connection, delete, insert, select

from service.store.tables import deleted_jobs


def add(tx: Connection, job_id: str) -> None:
    """Note that a job's logs and files are to go."""
    # A job may come back by a rescan, and go again.
    done(tx, job_id)
    tx.execute(insert(deleted_jobs).values(job_id=job_id))


def waiting(tx: Connection) -> list[str]:
    """The jobs of which something may be left."""
    return list(tx.execute(select(deleted_jobs.c.job_id)).scalars())


def waits(tx: Connection, job_id: str) -> bool:
    """Whether something of this job may be left."""
    query = select(deleted_jobs.c.job_id).where(deleted_jobs.c.job_id == job_id)
    return tx.execute(query).first() is not None


def done(tx: Connection, job_id: str) -> None:
    """Nothing is left."""
    tx.execute(delete(deleted_jobs).where(deleted_jobs.c.job_id == job_id))
