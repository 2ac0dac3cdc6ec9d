"""What the events of a running attempt change: progress, metrics, checkpoints, history."""

from collections.abc import Callable, Sequence
from contextlib import nullcontext
from datetime import datetime
from typing import Any

from pydantic import ValidationError
from sqlalchemy import Connection
from structlog import get_logger

from service.contract.agent import ReportedEvent
from service.contract.events import Damaged, Measured, NoteBody, Progressed, Published, Started
from service.contract.jobs import Job, JobState
from service.contract.reading import read
from service.contract.sentences import sentence_of
from service.contract.specs import NetworkSpec, TrainSpec
from service.contract.unreadable_events import UNREADABLE_EVENT
from service.control.checkpoints.publishing import InvalidCheckpoint, publish
from service.control.checkpoints.retention import pointers, refresh_pointers
from service.control.kinds import kind_of
from service.control.leases.event_batch import MOST_SERIES, EventBatch, InvalidEvent
from service.control.leases.event_measures import measure_batch
from service.control.leases.event_notes import note, note_once
from service.control.leases.search_events import candidates_found, candidates_wanted
from service.domain.series_names import OWN_NAMES, OWN_PREFIX, is_own_name
from service.store import (
    attempts,
    checkpoints,
    data_counts,
    jobs,
    search_parts,
    series,
    webhook_outbox,
)
from service.store.leases import LiveAttempt
from service.store.outages import DATABASE_OUTAGES
from service.volume.manifests import is_absent

_RUNNING = (JobState.RUNNING, JobState.CANCELLING, JobState.PAUSING)
_log = get_logger()


def lock_jobs(tx: Connection, job_ids: Sequence[str], events: Sequence[ReportedEvent]) -> None:
    """Lock the jobs of `events` that change others, and those others.

    These have the damaged checkpoints, or are searches for which the jobs measure. All in the
    order of ids that every caller keeps.
    """
    damaged = [str(e.body.get("checkpoint_id")) for e in events if e.kind == "damaged"]
    others = checkpoints.owners_of(tx, damaged) if damaged else set()
    if any(event.kind == "candidates" for event in events):
        others |= search_parts.searches_of(tx, job_ids)
    if others:
        jobs.lock(tx, {*job_ids, *others})


def apply_events(
    tx: Connection, job: Job, live: LiveAttempt, events: Sequence[ReportedEvent], now: datetime
) -> int:
    """Apply the events of a live attempt that are new; gives the seq up to which all are applied.

    The caller has locked the attempt and its job. An event that cannot be read or applied is noted
    in the history, and keeps no other from being applied.
    """
    new = {event.seq: event for event in events if event.seq > live.acked_seq}
    if not new:
        _note_unnumbered(tx, EventBatch(job, live.number, now, {}), events)
        return live.acked_seq
    acked_seq = max(new)
    acknowledged = attempts.change_live(tx, job.id, live.number, {"acked_seq": acked_seq})
    assert acknowledged, "the caller has locked a live attempt"
    batch = EventBatch(job, live.number, now, dict(job.metrics))
    _note_unnumbered(tx, batch, events)
    for seq in sorted(new):
        _apply_event(tx, batch, new[seq])
    if batch.left_out:
        message = f"metrics beyond the first {MOST_SERIES} names are left out"
        note_once(tx, batch, message)
    if batch.reserved:
        note_once(tx, batch, f"metrics are left out whose names begin with {OWN_PREFIX}")
    batch.end_moment()
    series.add(tx, job.id, batch.all_points())
    series_count = len(batch.metrics)
    if series_count and _is_to_be_compacted(live, acked_seq, series_count):
        for name in series.compact(tx, job.id, series_count + len(OWN_NAMES)):
            if not is_own_name(name):
                note_once(tx, batch, f"{name} has more points than are kept, and is thinned")
    if batch.values:
        jobs.change(tx, job.id, _RUNNING, batch.values)
    measure_batch(tx, batch)
    return acked_seq


def _is_to_be_compacted(live: LiveAttempt, acked_seq: int, series_count: int) -> bool:
    if live.acked_seq == 0 and live.number > 1:
        # What the attempt before has left.
        return True
    # Each event may have a point of each series.
    events = max(series.ROWS_BETWEEN_MOVES // series_count, 1)
    return live.acked_seq // events != acked_seq // events


def _apply_event(tx: Connection, batch: EventBatch, event: ReportedEvent) -> None:
    handler = _HANDLERS.get(event.kind)
    if handler is None:
        _note_unknown(tx, batch, event.kind)
        return
    values = dict(batch.values)
    try:
        # What it has written is undone with it: on PostgreSQL nothing could follow otherwise.
        with tx.begin_nested() if event.kind in _WRITING else nullcontext():
            handler(tx, batch, event.body)
    except (ValidationError, InvalidEvent, InvalidCheckpoint) as error:
        batch.values = values
        message = f"an event of kind {event.kind} could not be read: {_sentence(error)}"
        note(tx, batch, "note", message)
    except DATABASE_OUTAGES:
        raise
    except Exception as error:
        batch.values = values
        ids = {"job_id": batch.job.id, "attempt": batch.attempt, "seq": event.seq}
        _log.exception("event_failed", kind=event.kind, **ids)
        message = f"an event of kind {event.kind} could not be applied: {type(error).__name__}"
        note(tx, batch, "note", f"{message}; the server's log has more")


def _note_unnumbered(tx: Connection, batch: EventBatch, events: Sequence[ReportedEvent]) -> None:
    # Without a number it cannot be acknowledged: it may come again with each heartbeat.
    for event in events:
        if event.kind == UNREADABLE_EVENT and event.seq == 0:
            note_once(tx, batch, str(event.body.get("message")))


def _note_unknown(tx: Connection, batch: EventBatch, kind: str) -> None:
    # Once an attempt: a newer worker may send one with each step.
    message = f"events of kind {kind[:64]} are of a newer version, and are passed over"
    note_once(tx, batch, message)


def _sentence(error: Exception) -> str:
    return sentence_of(error) if isinstance(error, ValidationError) else str(error)


def _started(tx: Connection, batch: EventBatch, body: dict[str, Any]) -> None:
    event = read(Started, body)
    first = kind_of(batch.job.spec).first_progress(batch.job.spec)
    batch.set_progress(event.step, event.total_steps, first.phase)
    batch.set_epoch(event.steps_per_epoch)
    batch.begin_time()
    batch.begin_moment(event.step)
    resumed = f"resumed at step {event.step} from {event.resumed_from}"
    how = resumed if event.resumed_from else "started"
    details = event.data if event.execution is None else (*event.data, event.execution)
    data = f" ({'; '.join(details)})" if details else ""
    if isinstance(batch.job.spec, NetworkSpec):
        data_counts.put(tx, batch.job.spec.data, event.splits, batch.job.id, batch.now)
    note(tx, batch, "started", f"attempt {batch.attempt} {how}{data}")


def _progress(_: Connection, batch: EventBatch, body: dict[str, Any]) -> None:
    event = read(Progressed, body)
    speed = {"eta_seconds": event.eta_seconds, "images_per_second": event.images_per_second}
    batch.set_progress(event.step, event.total_steps, event.phase, **speed)
    batch.set_time(event.time_spent)
    batch.reached = event.step
    batch.add_rate(event.step, event.images_per_second)
    batch.add_metrics(event.step, event.metrics)


def _metrics(_: Connection, batch: EventBatch, body: dict[str, Any]) -> None:
    event = read(Measured, body)
    batch.set_time(event.time_spent)
    batch.reached = event.step
    batch.add_metrics(event.step, event.metrics)


def _checkpoint(tx: Connection, batch: EventBatch, body: dict[str, Any]) -> None:
    published = read(Published, body)
    publication = publish(tx, batch.job, batch.attempt, published, batch.now)
    if publication is not None:
        batch.values |= publication.job_values
        if isinstance(batch.job.spec, TrainSpec):
            batch.reach(published.checkpoint.step)
        batch.published.append((published.checkpoint, published.seconds))
        note(tx, batch, "checkpoint", publication.message)
        message, manifest = publication.message, published.checkpoint
        webhook_outbox.put_checkpoint(tx, batch.job.id, manifest, message, batch.now)


def _damaged(tx: Connection, batch: EventBatch, body: dict[str, Any]) -> None:
    event = read(Damaged, body)
    checkpoint = checkpoints.get(tx, event.checkpoint_id)
    job = jobs.get(tx, batch.job.id)
    assert job is not None
    is_own = checkpoint is not None and checkpoint.job_id == batch.job.id
    if checkpoint is None or not (is_own or checkpoint.id == job.source_checkpoint):
        raise InvalidEvent("it names no checkpoint of this job, nor its source")
    what = f"checkpoint {checkpoint.id} at step {checkpoint.step}"
    if is_absent(event.problems):
        # From a worker of an older version, whose volume may not be mounted.
        note(tx, batch, "note", f"{what} is not on the volume of this worker")
        return
    if checkpoint.state == "published":
        checkpoints.mark(tx, [checkpoint.id], "damaged")
    if is_own:
        batch.values |= pointers(tx, batch.job)
    else:
        refresh_pointers(tx, checkpoint.job_id)
    note(tx, batch, "damaged", f"{what} is damaged: {'; '.join(event.problems)}")


def _unreadable(tx: Connection, batch: EventBatch, body: dict[str, Any]) -> None:
    note(tx, batch, "note", str(body.get("message")))


def _note_event(tx: Connection, batch: EventBatch, body: dict[str, Any]) -> None:
    note(tx, batch, "note", read(NoteBody, body).message)


def _ended(_: Connection, __: EventBatch, ___: dict[str, Any]) -> None:
    """Nothing: the run's own end is for its agent, whose report ends the attempt."""


_HANDLERS: dict[str, Callable[[Connection, EventBatch, dict[str, Any]], None]] = {
    "started": _started,
    "progress": _progress,
    "metrics": _metrics,
    "checkpoint": _checkpoint,
    "damaged": _damaged,
    "note": _note_event,
    "candidates": candidates_found,
    "wanted": candidates_wanted,
    "ended": _ended,
    UNREADABLE_EVENT: _unreadable,
}
_WRITING = ("started", "checkpoint", "damaged", "candidates", "wanted")
"""The kinds of which one event writes more than one row."""
