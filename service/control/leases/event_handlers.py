"""What a running attempt tells of itself: progress, measurements, checkpoints."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from pydantic import ValidationError
from sqlalchemy import Connection

from service.contract.agent import ReportedEvent
from service.contract.checkpoints import Checkpoint, attempt_path, folder_name
from service.contract.events import Damaged, Measured, NoteBody, Progressed, Published, Started
from service.contract.jobs import Job, JobState, Progress
from service.contract.specs import ImportSpec
from service.control.checkpoints.retention import let_go, point_again, pointers
from service.store import attempts, checkpoints, history, jobs
from service.store.attempts import HeldAttempt

_RUNNING = (JobState.RUNNING, JobState.CANCELLING, JobState.PAUSING)


class BrokenEvent(Exception):
    """An event that cannot be meant; the history says so, and the others are heard."""


@dataclass
class EventBatch:
    """What the events of one beat add up to: one change of the job, some points."""

    job: Job
    number: int
    now: datetime
    metrics: dict[str, float]
    values: dict[str, Any] = field(default_factory=dict)
    points: list[tuple[str, int, float]] = field(default_factory=list)

    def measure(self, step: int, measured: dict[str, float]) -> None:
        """Keep what was measured: the last value of each name, and a point of its series."""
        self.metrics |= measured
        self.points += [(name, step, value) for name, value in measured.items()]
        self.values["metrics"] = self.metrics

    def is_at(self, step: int, total_steps: int, phase: str, **speed: float | None) -> None:
        """Keep how far the attempt is."""
        fraction = min(step / max(total_steps, 1), 1.0)
        progress = Progress(
            step=step, total_steps=total_steps, fraction=fraction, phase=phase, **speed
        )
        self.values["progress"] = progress.model_dump()


def lock_owners(tx: Connection, job_ids: Sequence[str], events: Sequence[ReportedEvent]) -> None:
    """Lock those who tell with those whose checkpoints they call damaged, in everybody's order."""
    named = [str(e.body.get("checkpoint_id")) for e in events if e.kind == "damaged"]
    if named:
        jobs.lock(tx, {*job_ids, *checkpoints.owners_of(tx, named)})


def hear(
    tx: Connection, job: Job, held: HeldAttempt, events: Sequence[ReportedEvent], now: datetime
) -> int:
    """Store what is new of a live attempt's events; gives the seq up to which all are known.

    The caller has locked the attempt and its job. A broken event is noted, and costs no other.
    """
    unheard = {event.seq: event for event in events if event.seq > held.acked_seq}
    if not unheard:
        return held.acked_seq
    acked_seq = max(unheard)
    acknowledged = attempts.change_live(tx, job.id, held.number, {"acked_seq": acked_seq})
    assert acknowledged, "the caller holds a live attempt"
    _record(tx, job, held.number, [unheard[seq] for seq in sorted(unheard)], now)
    return acked_seq


def _record(
    tx: Connection, job: Job, number: int, events: list[ReportedEvent], now: datetime
) -> None:
    told = EventBatch(job, number, now, dict(job.metrics))
    for event in events:
        try:
            _HEAR[event.kind](tx, told, event.body)
        except (ValidationError, BrokenEvent) as error:
            said = f"an event of kind {event.kind} could not be read: {_why(error)}"
            _note(tx, told, "note", said)
    history.measure(tx, job.id, told.points)
    if told.values:
        jobs.change(tx, job.id, _RUNNING, told.values)


def _why(error: ValidationError | BrokenEvent) -> str:
    if isinstance(error, BrokenEvent):
        return str(error)
    first = error.errors()[0]
    return f"{'.'.join(str(part) for part in first['loc'])}: {first['msg']}"


def _started(tx: Connection, told: EventBatch, body: dict[str, Any]) -> None:
    said = Started.model_validate(body)
    told.is_at(said.step, said.total_steps, "eval" if told.job.kind == "eval" else "train")
    resumed = f"resumed at step {said.step} from {said.resumed_from}"
    how = resumed if said.resumed_from else "started"
    _note(tx, told, "started", f"attempt {told.number} {how}")


def _progress(_: Connection, told: EventBatch, body: dict[str, Any]) -> None:
    said = Progressed.model_validate(body)
    speed = {"eta_seconds": said.eta_seconds, "images_per_second": said.images_per_second}
    told.is_at(said.step, said.total_steps, said.phase, **speed)
    told.measure(said.step, said.metrics)


def _metrics(_: Connection, told: EventBatch, body: dict[str, Any]) -> None:
    said = Measured.model_validate(body)
    told.measure(said.step, said.metrics)


def _checkpoint(tx: Connection, told: EventBatch, body: dict[str, Any]) -> None:
    said = Published.model_validate(body)
    manifest = said.checkpoint
    path = f"{attempt_path(told.job.id, told.number)}/"
    path += folder_name(manifest.phase, manifest.step)
    if (manifest.job_id, manifest.attempt) != (told.job.id, told.number):
        raise BrokenEvent("it is a checkpoint of another attempt")
    spec, network = told.job.spec, {"recipe": manifest.recipe, "variant": manifest.variant}
    if isinstance(spec, ImportSpec):
        told.values |= network
    elif network != {"recipe": told.job.recipe, "variant": told.job.variant}:
        raise BrokenEvent("it is a checkpoint of another network")
    if manifest.created_at.tzinfo is None:
        raise BrokenEvent("created_at has no zone")
    if said.path != path:
        raise BrokenEvent(f"it is in {said.path!r}, and belongs in {path!r}")
    if checkpoints.get(tx, manifest.checkpoint_id) is not None:
        return
    # A worker whose clock runs ahead must not stay the newest for ever.
    created_at = min(manifest.created_at, told.now)
    tags = spec.request.tags if isinstance(spec, ImportSpec) else ()
    checkpoint = Checkpoint.of(manifest, path, created_at, tags)
    checkpoints.add(tx, checkpoint, manifest)
    # A new checkpoint is progress: what went wrong before it is forgiven.
    told.values |= {"failures": 0, "losses": 0}
    let_go(tx, told.job)
    told.values |= pointers(tx, told.job)
    what = "final weights" if manifest.phase == "final" else "checkpoint"
    _note(tx, told, "checkpoint", f"{what} at step {manifest.step}: {checkpoint.id}")


def _damaged(tx: Connection, told: EventBatch, body: dict[str, Any]) -> None:
    said = Damaged.model_validate(body)
    found = checkpoints.get(tx, said.checkpoint_id)
    job = jobs.get(tx, told.job.id)
    assert job is not None
    if found is None or (found.job_id != told.job.id and found.id != job.source_checkpoint):
        raise BrokenEvent("it names no checkpoint of this job, nor its source")
    if found.state == "published":
        checkpoints.mark(tx, [found.id], "damaged")
    if found.job_id == told.job.id:
        told.values |= pointers(tx, told.job)
    else:
        point_again(tx, found.job_id)
    where = f"checkpoint {found.id} at step {found.step}"
    _note(tx, told, "damaged", f"{where} is damaged: {'; '.join(said.problems)}")


def _said(tx: Connection, told: EventBatch, body: dict[str, Any]) -> None:
    _note(tx, told, "note", NoteBody.model_validate(body).message)


def _ended(_: Connection, __: EventBatch, ___: dict[str, Any]) -> None:
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


def _note(tx: Connection, told: EventBatch, kind: str, message: str) -> None:
    history.note(tx, told.job.id, told.number, kind, message, told.now)
