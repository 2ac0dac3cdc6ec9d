"""A job as its users see it: with its place in the queue and what it waits for."""

from collections.abc import Sequence

from sqlalchemy import Connection

from service.contract.jobs import Job, JobState
from service.control.queue import Outlook
from service.store import queue
from service.store.jobs import StoredJob


def shown(tx: Connection, found: Sequence[StoredJob]) -> list[Job]:
    """The jobs, those in the queue with `queue_position` and `wait_reason`."""
    if not any(stored.job.state is JobState.QUEUED for stored in found):
        return [stored.job for stored in found]
    outlook = Outlook.of(tx)
    return [
        stored.job.model_copy(
            update={
                "queue_position": queue.ahead_of(tx, stored.job) + 1,
                "wait_reason": outlook.wait_reason(tx, stored),
            }
        )
        if stored.job.state is JobState.QUEUED
        else stored.job
        for stored in found
    ]
