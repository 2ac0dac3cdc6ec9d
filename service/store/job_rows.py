"""A job's row, written and read: what another version or a fault has left in it stops no list."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import TypeAdapter, ValidationError
from sqlalchemy import RowMapping

from service.contract.jobs import Job, JobState, Progress, Reason
from service.contract.reading import log_once, log_unknown_fields, member
from service.contract.specs import AnySpec, Resources
from service.contract.stored_specs import StoredSpec, UnreadableSpec, spec_as_stored
from service.domain.offers import JobNeeds
from service.store.job_needs import needs_of_column

_SPEC: TypeAdapter[AnySpec | UnreadableSpec] = TypeAdapter(StoredSpec)


@dataclass(frozen=True)
class StoredJob:
    """A job as users see it, and what only the control plane knows of it."""

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


def stored_job(row: RowMapping) -> StoredJob:
    """The job of a row, read as far as this version understands it."""
    names = [name for name in Job.model_fields if name in row and name not in ("spec", "progress")]
    spec = _spec(row)
    job = Job.model_construct(
        **{name: row[name] for name in names}
        | {
            "labels": _labels(row),
            "metrics": _metrics(row),
            "result": _result(row),
            "state": member(JobState, row["state"]),
            "reason": member(Reason, row["reason"]) if row["reason"] else None,
            "spec": spec,
            "unreadable": spec.problem if isinstance(spec, UnreadableSpec) else None,
            "progress": _progress(row["progress"]),
        }
    )
    return StoredJob(
        job=job,
        needs=needs_of_column(row["needs"], row["gpus"]),
        failures=row["failures"],
        worker_losses=row["worker_losses"],
        not_before=row["not_before"],
        stop_mode=row["stop_mode"],
        source_checkpoint=row["source_checkpoint"],
    )


def _spec(row: RowMapping) -> AnySpec | UnreadableSpec:
    spec = _SPEC.validate_python(row["spec"])
    log_unknown_fields(spec)
    if not isinstance(spec, UnreadableSpec):
        return spec
    log_once("unreadable_spec", f"{row['id']}: {spec.problem}")
    needs = needs_of_column(row["needs"], row["gpus"])
    columns = {
        "kind": row["kind"],
        "name": row["name"],
        "labels": _labels(row),
        "priority": -row["queue_order"],
        "resources": Resources(gpus=needs.gpus, labels=dict(needs.labels)),
    }
    return spec.model_copy(update=columns)


def _labels(row: RowMapping) -> dict[str, str]:
    labels = {key: each for key, each in _object(row["labels"]).items() if isinstance(each, str)}
    if labels != row["labels"]:
        log_once("unreadable_labels", f"{row['id']}: {row['labels']!r:.200}")
    return labels


def _metrics(row: RowMapping) -> dict[str, float]:
    metrics = {
        name: each
        for name, each in _object(row["metrics"]).items()
        if isinstance(each, int | float) and not isinstance(each, bool)
    }
    if metrics != row["metrics"]:
        log_once("unreadable_metrics", f"{row['id']}: {row['metrics']!r:.200}")
    return metrics


def _result(row: RowMapping) -> dict[str, Any] | None:
    if row["result"] is None or isinstance(row["result"], dict):
        return row["result"]
    log_once("unreadable_result", f"{row['id']}: {row['result']!r:.200}")
    return None


def _object(stored: Any) -> dict[str, Any]:
    return stored if isinstance(stored, dict) else {}


def _progress(stored: Any) -> Progress:
    try:
        return Progress.model_validate(stored)
    except ValidationError:
        log_once("unreadable_progress", str(stored)[:200])
        return Progress(total_steps=0)
