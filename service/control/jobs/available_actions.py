"""What may be done with a job now, from its kind and the table of its legal moves."""

from collections.abc import Collection, Iterator, Sequence

from sqlalchemy import Connection

from service.contract.actions import JobAction
from service.contract.jobs import ENDED_JOBS, Job, JobState
from service.control.kinds import KINDS, kind_of
from service.control.kinds.base import ResumePoint
from service.domain.lifecycle import JobEvent, is_legal, move_job
from service.store import checkpoints
from service.store.job_rows import StoredJob


def available_actions(
    tx: Connection, rows: Sequence[StoredJob]
) -> dict[str, tuple[JobAction, ...]]:
    """By job id the calls that the API would accept.

    One statement for all jobs, and two at most for each kind.
    """
    points: dict[str, ResumePoint] = {}
    ended = [row for row in rows if row.job.state in ENDED_JOBS]
    lost = _lost_sources(tx, ended)
    for kind in KINDS.values():
        points |= kind.resume_points(tx, [row for row in ended if kind_of(row.job.spec) is kind])
    return {row.job.id: tuple(actions_of(row.job, points.get(row.job.id), lost)) for row in rows}


def _lost_sources(tx: Connection, ended: Sequence[StoredJob]) -> set[str]:
    """The checkpoints from which jobs would start again, and that are not published any more."""
    named = {kind_of(row.job.spec).named_source(row.job.spec) for row in ended}
    sources = {source for source in named if source is not None}
    return sources - checkpoints.published_steps(tx, sorted(sources)).keys() if sources else set()


def actions_of(
    job: Job, point: ResumePoint | None, lost_sources: Collection[str]
) -> Iterator[JobAction]:
    """What may be done with one job; `point` is where a retry from latest would go on."""
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
    if job.state in ENDED_JOBS:
        origins = kind.retry_origins(job.spec, point)
        if kind.named_source(job.spec) in lost_sources:
            origins = tuple(origin for origin in origins if origin != "start")
        if origins:
            yield JobAction(name="retry", path=f"{path}/retry", choices={"from": origins})
        yield JobAction(name="delete", method="DELETE", path=path)
    yield from kind.uses(job)
