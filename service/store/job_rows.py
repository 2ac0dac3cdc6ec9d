"""A job as a row has it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from service.contract.jobs import Job
from service.contract.stored_specs import spec_as_stored
from service.domain.offers import JobNeeds


@dataclass(frozen=True, eq=False)
class StoredJob:
    """A job as users see it, and what only the control plane knows of it.

    It is compared by identity: rows that were read before are not read again.
    """

    job: Job
    needs: JobNeeds
    failures: int
    worker_losses: int
    not_before: datetime | None
    stop_mode: str | None
    source_checkpoint: str | None


def columns_of(job: Job) -> dict[str, Any]:
    """The columns that a job as users see it has."""
    columns = job.model_dump(
        exclude={
            "object",
            "queue_position",
            "wait_reason",
            "unreadable",
            "actions",
            "spec",
            "progress",
        }
    )
    return columns | {
        "spec": spec_as_stored(job.spec),
        "progress": job.progress.model_dump(mode="json"),
    }
