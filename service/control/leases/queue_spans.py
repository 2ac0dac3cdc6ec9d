"""How long a job that was claimed had waited, as spans of its trace."""

from datetime import datetime

from sqlalchemy import Connection

from service.contract.agent import Claim
from service.contract.traces import Tracer
from service.store import attempts, job_traces, jobs


def trace_claim(tx: Connection, tracer: Tracer, claim: Claim, now: datetime) -> Claim:
    """The claim with its span, for the worker; the same if its job has no trace.

    Makes two spans: `queue`, since the job was submitted or its last attempt ended, and in it
    `claim`.
    """
    submitted = job_traces.of_job(tx, claim.job_id)
    since = _queued_at(tx, claim)
    if submitted is None or since is None:
        return claim
    ids: dict[str, str | int] = {"job_id": claim.job_id, "attempt": claim.attempt}
    queue = tracer.begin("queue", submitted, ids, min(since, now))
    span = tracer.begin("claim", queue.traceparent, ids, now)
    span.end()
    queue.end()
    return claim.model_copy(update={"traceparent": span.traceparent})


def _queued_at(tx: Connection, claim: Claim) -> datetime | None:
    before = [each for each in attempts.of_job(tx, claim.job_id) if each.number < claim.attempt]
    if before and before[-1].finished_at is not None:
        return before[-1].finished_at
    job = jobs.get(tx, claim.job_id)
    return job.job.created_at if job is not None else None
