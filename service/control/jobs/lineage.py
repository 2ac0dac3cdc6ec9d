"""Where a job comes from, and which jobs came of it."""

from sqlalchemy import Connection

from service.contract.job_lineage import MOST_DESCENDANTS, JobLineage
from service.domain.errors import NotFound
from service.store import job_lineage as store


def of(tx: Connection, job_id: str) -> JobLineage:
    """The parent, the source and the descendants of a job; raises NotFound."""
    job = store.job_of(tx, job_id)
    if job is None:
        raise NotFound("no_such_job", f"there is no job {job_id}")
    descendants = store.descendants_of(tx, job_id, MOST_DESCENDANTS + 1)
    return JobLineage(
        job_id=job_id,
        kind=job.kind,
        parent=store.job_of(tx, job.parent_job_id) if job.parent_job_id else None,
        source=store.source_of(tx, job.source_checkpoint) if job.source_checkpoint else None,
        descendants=tuple(descendants[:MOST_DESCENDANTS]),
        has_more=len(descendants) > MOST_DESCENDANTS,
    )
