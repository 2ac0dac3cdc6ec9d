"""What a running attempt tells of itself: progress, measurements, checkpoints."""

import math
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from pydantic import ValidationError
from sqlalchemy import Connection

from service.contract.agent import ReportedEvent
from service.contract.checkpoints import Checkpoint, Manifest, attempt_path, folder_name
from service.contract.jobs import Attempt, Job, JobState, Progress
from service.domain.retention import best_of, surplus
from service.store import checkpoints, history, jobs

_RUNNING = (JobState.RUNNING, JobState.CANCELLING, JobState.PAUSING)


@dataclass
class _Told:
    """What the events of one beat add up to: one change of the job, some points."""

    job: Job
    attempt: Attempt
    now: datetime
    metrics: dict[str, float]
    values: dict[str, Any] = field(default_factory=dict)
    points: list[tuple[str, int, float]] = field(default_factory=list)

    def measure(self, step: int, measured: dict[str, Any]) -> None:
        """Keep what is a finite number; JSON and charts have no place for others."""
        finite = {name: float(value) for name, value in measured.items() if math.isfinite(value)}
        self.metrics |= finite
        self.points += [(name, step, value) for name, value in finite.items()]
        self.values["metrics"] = self.metrics


def record(
    tx: Connection, job: Job, attempt: Attempt, events: list[ReportedEvent], now: datetime
) -> None:
    """Store events of the live attempt, which the caller has fenced; a broken one is noted."""
    told = _Told(job, attempt, now, dict(job.metrics))
    for event in events:
        try:
            _HEAR[event.kind](tx, told, event.body)
        except (ValidationError, KeyError, TypeError, ValueError) as error:
            said = f"an event of kind {event.kind} could not be read: {type(error).__name__}"
            _note(tx, told, "note", said)
    history.measure(tx, job.id, told.points)
    if told.values:
        jobs.change(tx, job.id, _RUNNING, told.values)


def _started(tx: Connection, told: _Told, body: dict[str, Any]) -> None:
    total, step = int(body["total_steps"]), int(body["step"])
    phase = "eval" if told.job.kind == "eval" else "train"
    _progress(tx, told, {"total_steps": total, "step": step, "phase": phase})
    source = body["resumed_from"]
    how = f"resumed at step {step} from {source}" if source else "started"
    _note(tx, told, "started", f"attempt {told.attempt.number} {how}")


def _progress(_: Connection, told: _Told, body: dict[str, Any]) -> None:
    told.values["progress"] = Progress.model_validate(
        {
            "step": body["step"],
            "total_steps": body["total_steps"],
            "fraction": min(body["step"] / max(body["total_steps"], 1), 1.0),
            "eta_seconds": body.get("eta_seconds"),
            "images_per_second": body.get("images_per_second"),
            "phase": body["phase"],
        }
    ).model_dump()
    told.measure(body["step"], body.get("metrics", {}))


def _metrics(_: Connection, told: _Told, body: dict[str, Any]) -> None:
    told.measure(body["step"], body["metrics"])


def _checkpoint(tx: Connection, told: _Told, body: dict[str, Any]) -> None:
    manifest = Manifest.model_validate(body["checkpoint"])
    path = f"{attempt_path(told.job.id, told.attempt.number)}/"
    path += folder_name(manifest.phase, manifest.step)
    if (manifest.job_id, manifest.attempt) != (told.job.id, told.attempt.number):
        raise ValueError("a checkpoint of another attempt")
    if body["path"] != path:
        raise ValueError("a checkpoint in another folder than its own")
    if checkpoints.get(tx, manifest.checkpoint_id) is not None:
        return
    checkpoint = Checkpoint(
        id=manifest.checkpoint_id,
        **manifest.model_dump(
            include={"job_id", "attempt", "recipe", "variant", "step", "phase", "metrics", "files"}
        ),
        # A worker whose clock runs ahead must not stay the newest for ever.
        created_at=min(manifest.created_at, told.now),
        bytes=sum(file.bytes for file in manifest.files.values()),
        path=path,
    )
    checkpoints.add(tx, checkpoint, manifest)
    # A new checkpoint is progress: what went wrong before it is forgiven.
    told.values |= {"failures": 0, "losses": 0}
    _point(tx, told)
    what = "final weights" if manifest.phase == "final" else "checkpoint"
    _note(tx, told, "checkpoint", f"{what} at step {manifest.step}: {checkpoint.id}")


def _damaged(tx: Connection, told: _Told, body: dict[str, Any]) -> None:
    found = checkpoints.get(tx, body["checkpoint_id"])
    if found is None or found.job_id != told.job.id:
        raise ValueError("a checkpoint of another job")
    checkpoints.mark(tx, [found.id], "damaged")
    _point(tx, told)
    said = f"checkpoint {found.id} at step {found.step} is damaged: {'; '.join(body['problems'])}"
    _note(tx, told, "damaged", said)


def _said(tx: Connection, told: _Told, body: dict[str, Any]) -> None:
    _note(tx, told, "note", str(body["message"]))


def _ended(_: Connection, __: _Told, ___: dict[str, Any]) -> None:
    """The trainer's last word reaches the agent first, whose report ends the attempt."""


_HEAR = {
    "started": _started,
    "progress": _progress,
    "metrics": _metrics,
    "checkpoint": _checkpoint,
    "damaged": _damaged,
    "note": _said,
    "ended": _ended,
}


def _point(tx: Connection, told: _Told) -> None:
    """Set the job's latest and best, and let go what its retention does not keep."""
    retention = told.job.spec.retention
    newest_first = checkpoints.published_of(tx, told.job.id)
    gone = surplus(newest_first, retention, jobs.sources_in_use(tx))
    checkpoints.mark(tx, [checkpoint.id for checkpoint in gone], "purging")
    best = best_of(newest_first, retention.metric)
    told.values["latest_checkpoint"] = newest_first[0].id if newest_first else None
    told.values["best_checkpoint"] = best[0].id if best else None


def _note(tx: Connection, told: _Told, kind: str, message: str) -> None:
    history.note(tx, told.job.id, told.attempt.number, kind, message, told.now)
