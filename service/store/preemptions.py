"""Jobs that may be preempted, and those that are being preempted, in the database."""

from datetime import datetime

from sqlalchemy import Connection, or_, select, update

from service.contract.jobs import LIVE_ATTEMPTS, AttemptState, JobState
from service.domain.preemption import RunningJob
from service.store.attempts import GIVEN_GPUS
from service.store.job_needs import needs_of_column
from service.store.tables import attempts, jobs, workers

_IS_ANY_OUTRANKED = (
    "SELECT 1 FROM jobs{of_preemptible} WHERE state = 'running' AND preemptible AND queue_order > "
    "(SELECT min(queue_order) FROM jobs{of_queue} WHERE state = 'queued') LIMIT 1"
)
# By itself SQLite would take the index of the states, and read the row of each such job.
_SQLITE_INDEXES = {
    "of_preemptible": " INDEXED BY ix_jobs_preemptible",
    "of_queue": " INDEXED BY ix_jobs_queue",
}
_STOPPING = (JobState.PAUSING, JobState.CANCELLING)


def is_any_outranked(tx: Connection) -> bool:
    """Whether a queued job has a higher priority than a preemptible one that runs.

    One search of each of two partial indexes, so that it can be asked all the time.
    """
    indexes = _SQLITE_INDEXES if tx.dialect.name == "sqlite" else dict.fromkeys(_SQLITE_INDEXES, "")
    return tx.exec_driver_sql(_IS_ANY_OUTRANKED.format(**indexes)).first() is not None


def running_jobs(tx: Connection, least_seconds: float, now: datetime) -> list[RunningJob]:
    """The jobs whose places may become free: those that stop, and those that may be preempted.

    None is preempted that has run for less than `least_seconds`, or whose worker is silent.
    """
    query = (
        select(
            jobs.c.id,
            jobs.c.state.label("job_state"),
            jobs.c.queue_order,
            GIVEN_GPUS.label("gpus"),
            jobs.c.needs,
            attempts.c.number,
            attempts.c.worker_id,
            attempts.c.state,
            attempts.c.started_at,
            attempts.c.preempted_for,
        )
        .join(attempts, attempts.c.job_id == jobs.c.id)
        .where(
            attempts.c.state.in_(LIVE_ATTEMPTS),
            or_(jobs.c.preemptible, jobs.c.state.in_(_STOPPING)),
        )
    )
    running: list[RunningJob] = []
    for row in tx.execute(query):
        ran = (now - row.started_at).total_seconds() if row.started_at is not None else 0.0
        stopping = row.preempted_for is not None or row.job_state in _STOPPING
        running.append(
            RunningJob(
                id=row.id,
                attempt=row.number,
                worker_id=row.worker_id,
                queue_order=row.queue_order,
                gpus=row.gpus,
                hosts=needs_of_column(row.needs, row.gpus).hosts,
                ran_seconds=ran,
                is_stopping=stopping,
                is_victim=row.state == AttemptState.RUNNING
                and row.job_state == JobState.RUNNING
                and ran >= least_seconds,
            )
        )
    return running


def ask(tx: Connection, victim: RunningJob, job_id: str) -> bool:
    """Have an attempt save and give its place to a job; False if it is not to be asked (any more).

    The fence, as of `attempts.change_live`: at the next heartbeat its worker reads of it.
    """
    statement = (
        update(attempts)
        .where(
            attempts.c.job_id == victim.id,
            attempts.c.number == victim.attempt,
            attempts.c.worker_id == victim.worker_id,
            attempts.c.state == AttemptState.RUNNING,
            attempts.c.preempted_for.is_(None),
        )
        .values(preempted_for=job_id)
    )
    return tx.execute(statement).rowcount == 1


def preempted_for(tx: Connection, job_id: str) -> list[tuple[str, str]]:
    """(job id, host) of each that saves to give its place to a job."""
    query = (
        select(attempts.c.job_id, workers.c.host)
        .join(workers, workers.c.id == attempts.c.worker_id)
        .where(attempts.c.state.in_(LIVE_ATTEMPTS), attempts.c.preempted_for == job_id)
        .order_by(attempts.c.job_id)
    )
    return [(row.job_id, row.host) for row in tx.execute(query)]
