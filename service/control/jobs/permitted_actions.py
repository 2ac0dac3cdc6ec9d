"""Of what may be done with a job, what one caller may do."""

from service.contract.access import Role
from service.contract.actions import JobAction
from service.contract.jobs import Job
from service.domain.access import Caller


def permitted_actions(job: Job, by: Caller) -> tuple[JobAction, ...]:
    """The actions of a job that its reader may take: others' jobs are not steered, but used."""
    if by.owns(job.submitted_by):
        return job.actions
    if not by.may(Role.USER):
        return ()
    own = f"/jobs/{job.id}"
    return tuple(each for each in job.actions if not each.path.startswith(own))


def seen_by(job: Job, by: Caller) -> Job:
    """The job with the actions that its reader may take."""
    actions = permitted_actions(job, by)
    return job if actions == job.actions else job.model_copy(update={"actions": actions})
