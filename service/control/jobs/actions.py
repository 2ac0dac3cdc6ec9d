"""Cancelling, pausing and resuming a job. A request that came before changes nothing."""

from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from service.contract.jobs import ENDED_JOBS, Job, JobState, Reason
from service.control.jobs.views import stored
from service.control.scheduling.class_limit import check_class_limit
from service.domain.errors import Conflict
from service.domain.lifecycle import JobEvent, is_legal, move_job
from service.store import attempts, history
from service.store import jobs as store

_RESUMED = {
    JobState.PAUSED: "resumed: back to the queue",
    JobState.PAUSING: "resumed: the pause was withdrawn",
}


def cancel(tx: Connection, job_id: str, *, mode: str, now: datetime) -> bool:
    """End a queued job at once, ask a running one to stop; False if that was requested before.

    `graceful` lets it save a checkpoint first; a later `now` overrules it. Raises NotFound,
    Conflict.
    """
    row = stored(tx, job_id, lock=True)
    job = row.job
    if job.state is JobState.CANCELLED:
        return False
    if job.state in ENDED_JOBS:
        raise Conflict("job_ended", f"{job_id} has {job.state} already; nothing was cancelled")
    state = _cancelled_state(tx, job)
    if job.state is state:
        if mode == "now" and row.stop_mode != "now":
            store.change(tx, job_id, [job.state], {"stop_mode": mode})
        return False
    values: dict[str, Any] = {"state": state, "stop_mode": mode}
    if state is JobState.CANCELLED:
        values |= {
            "finished_at": now,
            "reason": "cancelled",
            "message": f"cancelled while {job.state}",
        }
    store.change(tx, job_id, [job.state], values)
    history.note(tx, job_id, None, "cancel", f"cancel asked ({mode})", now)
    return job.state is not JobState.CANCELLING


def pause(tx: Connection, job_id: str, now: datetime) -> bool:
    """Take a job out of the queue, have a running one save and stop.

    False if that was requested before. Raises NotFound, Conflict.
    """
    job = stored(tx, job_id, lock=True).job
    if job.state in (JobState.PAUSING, JobState.PAUSED):
        return False
    if not is_legal(job.state, JobEvent.PAUSE_REQUESTED):
        raise Conflict(
            "not_pausable", f"{job_id} is {job.state}; only a queued or running job can be paused"
        )
    state = move_job(job.state, JobEvent.PAUSE_REQUESTED)
    reason = {"reason": Reason.PAUSED} if state is JobState.PAUSED else {}
    changed = store.change(tx, job_id, [job.state], {"state": state} | reason)
    assert changed, "the job is locked"
    history.note(tx, job_id, None, state, f"pause asked while {job.state}", now)
    return True


def resume(tx: Connection, job_id: str, now: datetime) -> None:
    """Put a paused job back into the queue, by its age; it goes on from its last checkpoint.

    One that is still pausing runs on, in a new attempt if its worker has stopped already.
    Raises NotFound, Conflict.
    """
    stored_job = stored(tx, job_id, lock=True)
    job = stored_job.job
    if not is_legal(job.state, JobEvent.RESUMED):
        raise Conflict("not_paused", f"{job_id} is {job.state}, not paused")
    if job.state is JobState.PAUSED:
        check_class_limit(tx, stored_job.needs)
    state = move_job(job.state, JobEvent.RESUMED)
    values = {"state": state, "reason": None, "message": None, "not_before": None}
    changed = store.change(tx, job_id, [job.state], values)
    assert changed, "the job is locked"
    history.note(tx, job_id, None, "resumed", _RESUMED[job.state], now)


def _cancelled_state(tx: Connection, job: Job) -> JobState:
    state = job.state
    if state is not JobState.CANCELLING:
        state = move_job(state, JobEvent.CANCEL_REQUESTED)
    # Without an attempt that this version takes for live, nobody would ever report the end.
    if state is JobState.CANCELLING and attempts.live_number(tx, job.id) is None:
        return JobState.CANCELLED
    return state
