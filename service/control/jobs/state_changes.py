"""What a cancel, a pause, a resume and an edit change of one locked job."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from service.contract.changes import JobEdit
from service.contract.jobs import ENDED_JOBS, Job, JobState, Reason
from service.control.jobs.job_changes import NO_CHANGE, JobChange
from service.control.scheduling.class_limit import check_class_limit
from service.domain.errors import Conflict
from service.domain.lifecycle import JobEvent, is_legal, move_job
from service.store.job_rows import StoredJob
from service.store.jobs import edited_columns

_RESUMED = {
    JobState.PAUSED: "resumed: back to the queue",
    JobState.PAUSING: "resumed: the pause was withdrawn",
}


def cancel_change(
    row: StoredJob, mode: str, now: datetime, has_live_attempt: Callable[[], bool]
) -> JobChange:
    """What a cancel changes of a locked job, as `actions.cancel` says; raises Conflict."""
    job = row.job
    if job.state is JobState.CANCELLED:
        return NO_CHANGE
    if job.state in ENDED_JOBS:
        raise Conflict("job_ended", f"{job.id} has {job.state} already; nothing was cancelled")
    state = _cancelled_state(job, has_live_attempt)
    if job.state is state:
        is_overruled = mode == "now" and row.stop_mode != "now"
        return _cancellation({"stop_mode": mode}, None, mode) if is_overruled else NO_CHANGE
    values: dict[str, Any] = {"state": state, "stop_mode": mode}
    if state is JobState.CANCELLED:
        values |= {
            "finished_at": now,
            "reason": "cancelled",
            "message": f"cancelled while {job.state}",
        }
    entry = ("cancel", f"cancel asked ({mode})")
    return _cancellation(values, entry, mode, is_new=job.state is not JobState.CANCELLING)


def pause_change(job: Job) -> JobChange:
    """What a pause changes of a locked job, as `actions.pause` says; raises Conflict."""
    if job.state in (JobState.PAUSING, JobState.PAUSED):
        return NO_CHANGE
    if not is_legal(job.state, JobEvent.PAUSE_REQUESTED):
        raise Conflict(
            "not_pausable", f"{job.id} is {job.state}; only a queued or running job can be paused"
        )
    state = move_job(job.state, JobEvent.PAUSE_REQUESTED)
    reason = {"reason": Reason.PAUSED} if state is JobState.PAUSED else {}
    entry = (state, f"pause asked while {job.state}")
    return JobChange({"state": state} | reason, entry, action="job.pause")


def resume_change(tx: Connection, row: StoredJob) -> JobChange:
    """What a resume changes of a locked job, as `actions.resume` says; raises Conflict."""
    job = row.job
    if not is_legal(job.state, JobEvent.RESUMED):
        raise Conflict("not_paused", f"{job.id} is {job.state}, not paused")
    if job.state is JobState.PAUSED:
        check_class_limit(tx, row.needs)
    state = move_job(job.state, JobEvent.RESUMED)
    values = {"state": state, "reason": None, "message": None, "not_before": None}
    values["asked_workers"] = None
    return JobChange(values, ("resumed", _RESUMED[job.state]), action="job.resume")


def edit_change(job: Job, edit: JobEdit) -> JobChange:
    """What an edit changes of a locked job."""
    values: dict[str, Any] = edit.model_dump(exclude_unset=True)
    changed = {name: value for name, value in values.items() if getattr(job.spec, name) != value}
    if not changed:
        return NO_CHANGE
    what = ", ".join(
        f"{name} is removed" if value is None else f"{name} is now {value}"
        for name, value in changed.items()
    )
    columns = edited_columns(job.spec.model_copy(update=changed))
    return JobChange(columns, ("edited", what), action="job.edit", detail=", ".join(changed))


def _cancellation(
    values: dict[str, Any], entry: tuple[str, str] | None, mode: str, *, is_new: bool = False
) -> JobChange:
    return JobChange(values, entry, is_new=is_new, action="job.cancel", detail=mode)


def _cancelled_state(job: Job, has_live_attempt: Callable[[], bool]) -> JobState:
    state = job.state
    if state is not JobState.CANCELLING:
        state = move_job(state, JobEvent.CANCEL_REQUESTED)
    # Without an attempt that this version takes for live, nobody would ever report the end.
    if state is JobState.CANCELLING and not has_live_attempt():
        return JobState.CANCELLED
    return state
