"""What a job says may be done with it, and whether that is so."""

from collections.abc import Callable
from typing import Any

from sqlalchemy import Connection

from api_tests.support.job_lists import newest_jobs
from api_tests.support.use_cases import ControlPlane
from service.contract.jobs import Job
from service.control.jobs import retries
from service.domain.errors import Conflict
from service.store import jobs as store


class RolledBack(Exception):
    """Ends a transaction that only asks whether something would be accepted."""


def retried(control_plane: ControlPlane, tx: Connection, job: Job, origin: str) -> None:
    """A retry of the job, in a transaction that does more."""
    retries.retry(
        tx, job.id, origin, new_id=control_plane.new_job_id(), key=None, now=control_plane.now
    )


def changes(control_plane: ControlPlane, job: Job, verb: Callable[[Connection], Any]) -> bool:
    """Whether a verb is accepted, and is no mere repeat; nothing of it stays."""
    try:
        with control_plane.write() as tx:
            jobs = len(newest_jobs(tx))
            verb(tx)
            after = store.get(tx, job.id)
            made = len(newest_jobs(tx)) != jobs
            raise RolledBack(made or after is None or after.job.version != job.version)
    except Conflict:
        return False
    except RolledBack as outcome:
        return bool(outcome.args[0])


def action_names(job: Job) -> set[str]:
    """The actions that a job offers."""
    return {action.name for action in job.actions}


def offered(job: Job, name: str) -> Any:
    """The action that a job offers by this name."""
    (action,) = (action for action in job.actions if action.name == name)
    return action
