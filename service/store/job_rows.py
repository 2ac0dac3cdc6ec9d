"""A job as a row has it."""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from service.contract.jobs import Job
from service.contract.stored_specs import spec_as_json
from service.domain.offers import JobNeeds
from service.store.job_needs import column_of_needs
from service.store.plain_insert import PlainInsert
from service.store.tables import jobs

_AS_SHOWN = (
    "id",
    "kind",
    "recipe",
    "variant",
    "name",
    "message",
    "created_at",
    "started_at",
    "finished_at",
    "attempt",
    "latest_checkpoint",
    "best_checkpoint",
    "parent_job_id",
    "part_of",
    "submitted_by",
    "version",
)
_AS_STORED = (
    "state",
    "reason",
    "labels",
    "metrics",
    "result",
    "spec",
    "progress",
    "queue_order",
    "preemptible",
    "gpus",
    "needs",
    "failures",
    "worker_losses",
    "source_checkpoint",
)
NEW_JOBS = PlainInsert(jobs, (*_AS_SHOWN, *_AS_STORED))


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
    asked_workers: frozenset[str] = frozenset()


def columns_of(stored: StoredJob) -> dict[str, Any]:
    """The columns of a new row, as `PlainInsert` takes them."""
    job = stored.job
    return {name: getattr(job, name) for name in _AS_SHOWN} | {
        "state": str(job.state),
        "reason": str(job.reason) if job.reason is not None else None,
        "labels": json.dumps(job.labels, allow_nan=False),
        "metrics": json.dumps(job.metrics, allow_nan=False),
        "result": json.dumps(job.result, allow_nan=False),
        "spec": spec_as_json(job.spec),
        "progress": job.progress.model_dump_json(),
        "queue_order": -job.spec.priority,
        "preemptible": job.spec.preemptible,
        "gpus": stored.needs.gpus,
        "needs": column_of_needs(stored.needs),
        "failures": stored.failures,
        "worker_losses": stored.worker_losses,
        "source_checkpoint": stored.source_checkpoint,
    }
