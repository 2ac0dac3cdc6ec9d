"""Who may steer a job, and change its checkpoints: who submitted it, and an admin."""

from service.domain.access import Caller
from service.domain.errors import Forbidden


def require_owner(by: Caller, job_id: str, submitted_by: str | None, thing: str = "") -> None:
    """Raise Forbidden unless the caller may change a job, or a `thing` of it."""
    if by.owns(submitted_by):
        return
    owner = submitted_by or "somebody unknown"
    what = f"{thing} is of {job_id}, which" if thing else job_id
    who = f"only {submitted_by} or an admin" if submitted_by else "only an admin"
    message = f"{what} was submitted by {owner}: {who} may change it, and you are {by.name}"
    raise Forbidden("not_own_job", message)
