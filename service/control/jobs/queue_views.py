"""A job as its users see it: with its position in the queue and what it waits for."""

from collections.abc import Sequence

from sqlalchemy import Connection

from service.contract.jobs import Job, JobState
from service.control.scheduling.wait_reasons import QueueState
from service.store import resource_classes
from service.store.jobs import StoredJob


def job_views(tx: Connection, stored_jobs: Sequence[StoredJob]) -> list[Job]:
    """The jobs, those in the queue with `queue_position` and `wait_reason`."""
    queued = [stored.job for stored in stored_jobs if stored.job.state is JobState.QUEUED]
    if not queued:
        return [stored.job for stored in stored_jobs]
    queue, positions = QueueState.read(tx), resource_classes.positions(tx, queued)
    return [
        stored.job.model_copy(
            update={
                "queue_position": positions[stored.job.id],
                "wait_reason": queue.wait_reason(tx, stored),
            }
        )
        if stored.job.state is JobState.QUEUED
        else stored.job
        for stored in stored_jobs
    ]
