"""Rows of jobs as another version may have written them."""

from typing import Any

import sqlalchemy as sa

from api_tests.support.job_lists import newest_jobs
from api_tests.support.use_cases import ControlPlane
from service.contract.jobs import Job
from service.control.jobs import edits
from service.store.tables import jobs


def rewrite(control_plane: ControlPlane, job: Job, **columns: Any) -> None:
    """As another version has written the job's row."""
    with control_plane.write() as tx:
        tx.execute(sa.update(jobs).where(jobs.c.id == job.id).values(**columns))


def listed(control_plane: ControlPlane) -> dict[str, dict[str, Any]]:
    """What `GET /jobs` shows, by id."""
    with control_plane.database.read() as tx:
        return {job.id: job.model_dump(mode="json") for job in newest_jobs(tx)}


def delete(control_plane: ControlPlane, job: Job) -> None:
    """As a user does."""
    with control_plane.write() as tx:
        edits.delete(tx, job.id)
