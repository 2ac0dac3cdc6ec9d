"""The end of an attempt as its worker reports it. A report may be sent twice."""

import hmac
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from service.contract.agent import BeatReply, Report
from service.contract.counts import count_text
from service.contract.jobs import JobState
from service.control.checkpoints.files import named_files
from service.control.kinds import kind_of
from service.control.leases.event_handlers import apply_events, lock_jobs
from service.control.leases.heartbeats import renew_leases
from service.control.leases.transitions import AttemptEnd, BackoffPolicy, end_attempt, is_ended_by
from service.control.scheduling.quarantine import lock_worker_of, quarantine_if_broken
from service.domain.errors import Conflict, LeaseLost
from service.domain.lifecycle import AttemptEvent
from service.store import attempts, history, jobs, leases
from service.store.attempts import StoredAttempt
from service.store.job_rows import StoredJob


def end(
    tx: Connection,
    report: Report,
    *,
    backoff_policy: BackoffPolicy,
    quick_seconds: float,
    now: datetime,
) -> BeatReply:
    """End an attempt; a repeat changes nothing. Raises LeaseLost if it ended some other way.

    A worker on which one job after the other fails within `quick_seconds` is quarantined.
    """
    if report.outcome == "failed":
        lock_worker_of(tx, report.job_id, report.attempt)
    lock_jobs(tx, [report.job_id], report.events)
    job, stored = _locked(tx, report)
    if is_ended_by(AttemptEvent(report.outcome), report.reason, stored.attempt):
        return _reply(report, stored.acked_seq)
    if report.outcome == "cancelled" and job.job.state is not JobState.CANCELLING:
        raise Conflict("not_cancelled", f"nobody asked to cancel {report.job_id}: report released")
    live = leases.lock_live(tx, [report.job_id]).get(report.job_id)
    if live is None or live.number != report.attempt:
        raise LeaseLost(report.job_id, report.attempt)
    renew_leases(tx, [live], now)
    acked_seq = apply_events(tx, job.job, live, report.events, now)
    # The events may have changed the job: its counters, its progress.
    job, stored = _locked(tx, report)
    result = _result_of(tx, report, now)
    attempt_end = AttemptEnd(
        AttemptEvent(report.outcome), report.reason, report.message, result, report.time_spent
    )
    end_attempt(tx, job, stored.attempt, attempt_end, backoff_policy=backoff_policy, now=now)
    if report.outcome == "succeeded":
        kind_of(job.job.spec).note_success(tx, job.job, result or {}, now)
    if report.outcome == "failed":
        quarantine_if_broken(tx, stored.attempt.worker_id, quick_seconds, now)
    return _reply(report, acked_seq)


def _result_of(tx: Connection, report: Report, now: datetime) -> dict[str, Any] | None:
    """The result without the files that could be no files of this attempt, which is noted."""
    result = report.result
    if result is None or result.get("files") is None:
        return result
    files = {name: digest.model_dump() for name, digest in named_files(result).items()}
    left_out = len(result["files"]) - len(files) if isinstance(result["files"], dict) else 1
    if left_out:
        message = (
            f"its worker reported {count_text(left_out, 'file')} without a valid name and digest"
        )
        history.note(tx, report.job_id, report.attempt, "note", message, now)
    return result | {"files": files}


def _locked(tx: Connection, report: Report) -> tuple[StoredJob, StoredAttempt]:
    # Always the job first, then its attempt: two transactions must not hold one each.
    job = jobs.get(tx, report.job_id, lock=True)
    stored = attempts.get(tx, report.job_id, report.attempt)
    if job is None or stored is None:
        raise LeaseLost(report.job_id, report.attempt)
    if not hmac.compare_digest(stored.token.encode(), report.token.encode()):
        raise LeaseLost(report.job_id, report.attempt)
    return job, stored


def _reply(report: Report, acked_seq: int) -> BeatReply:
    return BeatReply(job_id=report.job_id, attempt=report.attempt, acked_seq=acked_seq)
