"""Jobs, checkpoints and events as rows of a table: by name of a column a value.

What each of them names by itself has a column for each name: `metrics.loss`, `param.learning_rate`,
`label.team`, as the list of jobs is ordered and narrowed by them.
"""

import json
from collections.abc import Callable, Mapping
from operator import attrgetter
from typing import Any

from pydantic import BaseModel

from service.contract.candidates import Candidate
from service.contract.checkpoints import Checkpoint
from service.contract.csv_text import Cell
from service.contract.jobs import Event, Job

Row = dict[str, Cell]
METRIC, PARAMETER, LABEL = "metrics.", "param.", "label."


def job_row(job: Job) -> Row:
    """A job; `duration_seconds` is that of one that has ended."""
    return {
        **{name: read(job) for name, read in _OF_JOB.items()},
        **_named(METRIC, job.metrics),
        **_named(PARAMETER, _parameters(job)),
        **_named(LABEL, job.labels),
    }


def checkpoint_row(checkpoint: Checkpoint) -> Row:
    """A checkpoint; its tags are separated by spaces, and its path is relative to the volume."""
    own = {name: read(checkpoint) for name, read in _OF_CHECKPOINT.items()}
    return {**own, **_named(METRIC, checkpoint.metrics)}


def event_row(event: Event) -> Row:
    """An event of a job's history."""
    return {name: getattr(event, name) for name in EVENT_COLUMNS}


def candidate_row(candidate: Candidate) -> Row:
    """A candidate of a search."""
    return {name: getattr(candidate, name) for name in CANDIDATE_COLUMNS}


def is_named(column: str) -> bool:
    """Whether a column is of a name that not every row has."""
    return column.startswith((METRIC, PARAMETER, LABEL))


def _parameters(job: Job) -> Mapping[str, Any]:
    """Those by which the list of jobs is ordered and narrowed, as in the job's row."""
    params = getattr(job.spec, "params", {})
    return params.model_dump(mode="json") if isinstance(params, BaseModel) else params


def _fields(*names: str) -> dict[str, Callable[[Any], Cell]]:
    return {name: attrgetter(name) for name in names}


def _text(name: str) -> Callable[[Any], Cell]:
    """A field with a member of an enumeration, as text."""
    return lambda item: None if (value := getattr(item, name)) is None else str(value)


def _duration_seconds(job: Job) -> Cell:
    begin, end = job.started_at, job.finished_at
    return (end - begin).total_seconds() if begin is not None and end is not None else None


_OF_JOB: dict[str, Callable[[Job], Cell]] = {
    **_fields("id", "name"),
    "kind": _text("kind"),
    **_fields("recipe", "variant"),
    "state": _text("state"),
    "reason": _text("reason"),
    **_fields("message", "submitted_by"),
    "priority": attrgetter("spec.priority"),
    "preemptible": attrgetter("spec.preemptible"),
    **_fields("created_at", "started_at", "finished_at"),
    "duration_seconds": _duration_seconds,
    **_fields("attempt"),
    "step": attrgetter("progress.step"),
    "total_steps": attrgetter("progress.total_steps"),
    "images_per_second": attrgetter("progress.images_per_second"),
    **_fields("latest_checkpoint", "best_checkpoint", "parent_job_id"),
}
_OF_CHECKPOINT: dict[str, Callable[[Checkpoint], Cell]] = {
    **_fields("id", "job_id", "attempt", "recipe", "variant", "step", "phase"),
    "state": _text("state"),
    **_fields("created_at", "bytes", "path", "pinned"),
    "tags": lambda checkpoint: " ".join(checkpoint.tags),
    **_fields("parent_checkpoint"),
}
JOB_COLUMNS, CHECKPOINT_COLUMNS = tuple(_OF_JOB), tuple(_OF_CHECKPOINT)
"""The columns that every row has; those of names come after them."""
EVENT_COLUMNS = tuple(Event.model_fields)
CANDIDATE_COLUMNS = (
    "order",
    "generation",
    "origin",
    "blocks",
    "multiply_adds",
    "top1_error",
    "top5_error",
    "loss",
)


def _named(prefix: str, values: Mapping[str, Any]) -> Row:
    return {f"{prefix}{name}": _cell(value) for name, value in values.items()}


def _cell(value: Any) -> Cell:
    if value is None or isinstance(value, str | int | float):
        return value
    return json.dumps(value, ensure_ascii=False, allow_nan=False, default=str)
