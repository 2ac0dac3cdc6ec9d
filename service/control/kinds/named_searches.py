"""The search that a submission names."""

from sqlalchemy import Connection

from service.contract.specs import SearchSpec
from service.domain.errors import Unprocessable
from service.store import jobs
from service.store.job_rows import StoredJob


def search_named(tx: Connection, job_id: str, pointer: str) -> tuple[StoredJob, SearchSpec]:
    """The search of this id, which stands at a JSON pointer; raises Unprocessable."""
    field = pointer.rpartition("/")[2]
    stored = jobs.get(tx, job_id)
    if stored is None:
        message = f"there is no job {job_id}; name a search, or leave {field} out"
        raise Unprocessable("no_such_job", message, pointer)
    if not isinstance(stored.job.spec, SearchSpec):
        kind = stored.job.kind
        message = f"{job_id} is a job of kind {kind}: name a search, or leave {field} out"
        raise Unprocessable("no_search", message, pointer)
    return stored, stored.job.spec
