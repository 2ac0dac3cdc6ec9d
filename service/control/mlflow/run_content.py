"""A job as a run of MLflow: its name, status, parameters, tags and points."""

import json
import re
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from pydantic import BaseModel

from service.contract.jobs import ENDED_JOBS, Job, JobState
from service.contract.text import cut_text
from service.control.mlflow.rest_api import JOB_TAG, Point, milliseconds

KINDS = ("train", "eval", "search")
"""The kinds of job that measure something."""
LABEL = "label."
_STATUS = {
    JobState.QUEUED: "SCHEDULED",
    JobState.PAUSED: "SCHEDULED",
    JobState.SUCCEEDED: "FINISHED",
    JobState.FAILED: "FAILED",
    JobState.CANCELLED: "KILLED",
}
_PARAMETER_LENGTH, _TAG_LENGTH = 500, 5_000
"""What each version of MLflow takes."""
_NO_NAME = re.compile(r"[^A-Za-z0-9_\-. :/]")

Series = Mapping[str, Sequence[tuple[int, float | None]]]


def name_of(job: Job) -> str:
    """The name of the run."""
    return job.name or job.id


def status_of(job: Job) -> str:
    """The status of the run."""
    return _STATUS.get(job.state, "RUNNING")


def has_ended(job: Job) -> bool:
    """Whether the run will not change any more."""
    return job.state in ENDED_JOBS


def params_of(job: Job) -> dict[str, str]:
    """The parameters: those of the specification, and what is trained on what."""
    spec = job.spec
    data = getattr(spec, "data", None)
    values = {"kind": job.kind, "recipe": job.recipe, "variant": job.variant}
    values |= {"data": data.model_dump(mode="json", exclude_none=True)} if data else {}
    values |= _params_of(spec)
    named = ((_key(name), _text(value)) for name, value in values.items() if value is not None)
    # MLflow has no empty values.
    return {name: cut_text(text, _PARAMETER_LENGTH) for name, text in named if text}


def _params_of(spec: object) -> dict[str, Any]:
    params = getattr(spec, "params", {})
    return params.model_dump(mode="json") if isinstance(params, BaseModel) else params


def tags_of(job: Job, public_url: str) -> dict[str, str]:
    """The tags: what may change of a job, its labels, and where it and its checkpoints are."""
    url = f"{public_url.rstrip('/')}/#/" if public_url else ""
    values = {
        JOB_TAG: job.id,
        "mlflow.source.name": "trainyard",
        "mlflow.source.type": "JOB",
        "mlflow.user": job.submitted_by,
        "trainyard.submitted_by": job.submitted_by,
        "trainyard.state": str(job.state),
        "trainyard.reason": None if job.reason is None else str(job.reason),
        "trainyard.message": job.message,
        "trainyard.attempts": str(job.attempt),
        "trainyard.latest_checkpoint": job.latest_checkpoint,
        "trainyard.best_checkpoint": job.best_checkpoint,
    }
    if url:
        values["trainyard.url"] = f"{url}jobs/{job.id}"
        checkpoint = job.best_checkpoint or job.latest_checkpoint
        values["trainyard.checkpoint_url"] = (
            f"{url}checkpoints/{checkpoint}" if checkpoint else None
        )
        values["mlflow.note.content"] = f"[{job.id}]({url}jobs/{job.id}) in Trainyard"
    values |= {_key(f"{LABEL}{name}"): value for name, value in job.labels.items()}
    return {name: cut_text(text, _TAG_LENGTH) for name, text in values.items() if text}


def points_of(
    job: Job, series: Series, times: Sequence[tuple[int, float]], last_steps: Mapping[str, int]
) -> list[Point]:
    """What was measured after the last step that MLflow has of each metric, by step.

    A step that was trained again is there already, and MLflow would have it twice. `times` are
    (step, seconds since 1970); what has no time of its own has that of the step before.
    """
    began = job.started_at or job.created_at
    steps = [step for step, _ in times]
    points: list[Point] = []
    for name, values in {**series, **_of_result(job, series)}.items():
        key = _key(name)
        last = last_steps.get(key, -1)
        for step, value in values:
            if step > last:
                place = bisect_right(steps, step) - 1
                at = int(times[place][1] * 1000) if place >= 0 else milliseconds(began)
                points.append(Point(key, float("nan") if value is None else value, at, step))
    return sorted(points, key=lambda point: (point.step, point.name))


def _of_result(job: Job, series: Series) -> dict[str, list[tuple[int, float | None]]]:
    """The numbers of the result, such as those of an eval, that are no series."""
    numbers = {
        name: float(value)
        for name, value in (job.result or {}).items()
        if isinstance(value, int | float) and not isinstance(value, bool) and name not in series
    }
    return {name: [(job.progress.step, value)] for name, value in numbers.items()}


def _key(name: str) -> str:
    key = _NO_NAME.sub("_", name)
    # MLflow takes a name for a path, and refuses one that is not in its simplest form.
    is_path = "/" in key and any(part in ("", ".", "..") for part in key.split("/"))
    return key.replace("/", "_") if is_path else key


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, allow_nan=False)


def ended_at(job: Job) -> datetime | None:
    """When the run ended, if it has."""
    return job.finished_at if has_ended(job) else None
