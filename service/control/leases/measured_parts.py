"""What a job measures for a search is the search's, in the same transaction."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection

from service.contract.candidates import Candidate
from service.contract.jobs import Job, JobState, Progress
from service.contract.search_params import MOST_CANDIDATES
from service.domain.retry import NEW_BEGIN
from service.store import candidates, jobs, search_parts
from service.store.search_parts import StoredPart

_LIVE = (
    JobState.QUEUED,
    JobState.RUNNING,
    JobState.PAUSING,
    JobState.PAUSED,
    JobState.CANCELLING,
)


def pass_on(tx: Connection, job_id: str, found: Sequence[Candidate], now: datetime) -> None:
    """Store what a job has measured for the search that wanted it, with its place in the search.

    Nothing if the job measures for none. The caller has locked both.
    """
    part = search_parts.of_job(tx, job_id)
    if part is None:
        return
    places = {each.blocks: each for each in part.wanted}
    own = [
        each.model_copy(update=places[each.blocks].model_dump())
        for each in found
        if each.blocks in places
    ]
    if not candidates.add(tx, part.search_id, own, now, most=MOST_CANDIDATES):
        return
    search = jobs.get(tx, part.search_id)
    assert search is not None, "its part refers to it"
    known = candidates.count(tx, part.search_id)
    progress = _progress(search.job, part, known, now).model_dump()
    jobs.change(tx, part.search_id, _LIVE, {"progress": progress} | NEW_BEGIN)


def _progress(job: Job, part: StoredPart, known: int, now: datetime) -> Progress:
    """How far the search is; the rest takes as long as what was measured since the part began."""
    total, measured = job.progress.total_steps, known - part.known
    left = max(total - known, 0)
    seconds = max((now - part.created_at).total_seconds(), 0.0)
    return job.progress.model_copy(
        update={
            "phase": "search",
            "step": known,
            "fraction": min(known / max(total, 1), 1.0),
            "eta_seconds": left * seconds / measured if measured > 0 else None,
        }
    )
