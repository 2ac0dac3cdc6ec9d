"""The use of the hosts and GPUs on which a job ran."""

from datetime import datetime

from sqlalchemy import Connection

from service.contract.jobs import Attempt
from service.contract.samples import AttemptSamples, JobSamples
from service.control.jobs import history
from service.control.leases.samples import seconds_of, since_within
from service.domain.sample_tables import SampleTable, gpu_prefix
from service.store import samples as store
from service.store.samples import Span

_MOST_ATTEMPTS = 20
_HOST_SERIES = ("cpu_use", "memory_use", "disk_use")


def of_job(
    tx: Connection, job_id: str, since: datetime | None, max_points: int, now: datetime
) -> JobSamples:
    """What was sampled where a job's last 20 attempts ran, while they ran; raises NotFound.

    Of GPUs those that the attempt uses, as far as its worker has told.
    """
    first = since_within(since, now)
    spans = {}
    for attempt in history.attempts(tx, job_id)[-_MOST_ATTEMPTS:]:
        span = _span_of(attempt, now)
        if span.until >= first:
            spans[attempt.number] = (
                attempt,
                Span(span.worker_id, max(span.since, first), span.until),
            )
    tables = store.tables_of(tx, [span for _, span in spans.values()])
    sampled = [
        _sampled(attempt, span, tables.get(span.worker_id), max_points)
        for attempt, span in spans.values()
    ]
    return JobSamples.model_construct(
        job_id=job_id, attempts=[each for each in sampled if each.series]
    )


def _span_of(attempt: Attempt, now: datetime) -> Span:
    until = attempt.finished_at or now
    return Span(attempt.worker_id, seconds_of(attempt.created_at), seconds_of(until))


def _sampled(
    attempt: Attempt, span: Span, table: SampleTable | None, max_points: int
) -> AttemptSamples:
    prefixes = [gpu_prefix(index) for index in attempt.gpus or ()]
    table = table or SampleTable()
    names = [
        name
        for name in table.columns
        if name in _HOST_SERIES or any(name.startswith(prefix) for prefix in prefixes)
    ]
    return AttemptSamples.model_construct(
        attempt=attempt.number,
        worker_id=attempt.worker_id,
        gpus=attempt.gpus,
        series=table.series(span.since, span.until, max_points, names),
    )
