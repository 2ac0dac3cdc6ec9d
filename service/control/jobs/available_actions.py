"""What may be done with a job now, from its kind and the table of its legal moves."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from service.contract.actions import JobAction
from service.contract.jobs import ENDED_JOBS, RETRIABLE_JOBS, Job, JobState
from service.control.jobs import search_family
from service.control.kinds import KINDS, kind_of
from service.control.kinds.base import ResumePoint
from service.domain.lifecycle import JobEvent, is_legal, move_job
from service.store import checkpoints, search_parts
from service.store.job_rows import StoredJob


@dataclass(frozen=True)
class RetryStart:
    """What a retry or a continuation of an ended job could begin from; other jobs may change it.

    `point` is where a retry from latest would go on; `has_source` is false if the checkpoint that
    a job to retry started from is not there any more. `may_go` is false while others still measure
    for an ended search: it is not deleted before them.
    """

    point: ResumePoint | None = None
    has_source: bool = True
    may_go: bool = True


def retry_starts(tx: Connection, rows: Sequence[StoredJob]) -> dict[str, RetryStart]:
    """By job id those of the jobs that have ended.

    Two statements at most for all jobs, and two for each kind.
    """
    points: dict[str, ResumePoint] = {}
    ended = [row for row in rows if row.job.state in ENDED_JOBS]
    lost = _lost_sources(tx, [row for row in ended if row.job.state in RETRIABLE_JOBS])
    parted = [row.job.id for row in ended if search_family.has_parts(row.job)]
    measured_for = search_parts.searches_with_live(tx, parted) if parted else set()
    for kind in KINDS.values():
        own = [row for row in ended if kind_of(row.job.spec) is kind]
        points |= kind.resume_points(tx, own)
    return {
        row.job.id: RetryStart(
            points.get(row.job.id),
            row.source_checkpoint not in lost,
            row.job.id not in measured_for,
        )
        for row in ended
    }


def _lost_sources(tx: Connection, retriable: Sequence[StoredJob]) -> set[str]:
    """The checkpoints from which jobs would start again, and that are not published any more."""
    sources = {row.source_checkpoint for row in retriable if row.source_checkpoint is not None}
    return sources - checkpoints.published_steps(tx, sorted(sources)).keys() if sources else set()


def actions_of(job: Job, start: RetryStart) -> Iterator[JobAction]:
    """The calls that the API would accept for one job."""
    path = f"/jobs/{job.id}"
    kind = kind_of(job.spec)
    if is_legal(job.state, JobEvent.PAUSE_REQUESTED):
        yield JobAction(name="pause", path=f"{path}/pause")
    if is_legal(job.state, JobEvent.RESUMED):
        yield JobAction(name="resume", path=f"{path}/resume")
    if job.state is JobState.CANCELLING:
        yield JobAction(name="cancel", path=f"{path}/cancel", choices={"mode": ("now",)})
    if is_legal(job.state, JobEvent.CANCEL_REQUESTED):
        runs = move_job(job.state, JobEvent.CANCEL_REQUESTED) is JobState.CANCELLING
        choices = {"mode": ("graceful", "now")} if runs else {}
        yield JobAction(name="cancel", path=f"{path}/cancel", choices=choices)
    if job.state in RETRIABLE_JOBS:
        origins = kind.retry_origins(job.spec, start.point)
        if not start.has_source:
            origins = tuple(origin for origin in origins if origin != "start")
        if origins:
            yield JobAction(name="retry", path=f"{path}/retry", choices={"from": origins})
    if job.state is JobState.SUCCEEDED:
        yield from kind.continuations(job.spec, start.point)
    if job.state in ENDED_JOBS and start.may_go:
        yield JobAction(name="delete", method="DELETE", path=path)
    yield from kind.uses(job)
