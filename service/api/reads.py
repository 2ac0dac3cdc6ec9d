"""What a route answers with after its change is committed, read in a transaction of its own."""

from service.context import AppContext
from service.contract.jobs import Job
from service.control.jobs import views


def read_job(context: AppContext, job_id: str) -> Job:
    """A job as its users see it; raises NotFound."""
    with context.database.read() as tx:
        return views.get(tx, job_id)
