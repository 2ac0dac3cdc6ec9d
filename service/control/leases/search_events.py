"""What searches tell of candidates: what was measured, and what others are to measure.

What a job measures for a search is the search's in the same transaction.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from service.contract.candidates import Candidate, CandidatesFound, CandidatesWanted
from service.contract.jobs import ENDED_JOBS, Job, JobState, Progress
from service.contract.reading import read
from service.contract.search_params import MOST_CANDIDATES
from service.contract.specs import SearchSpec
from service.control.leases.event_batch import EventBatch, InvalidEvent
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


def candidates_found(tx: Connection, batch: EventBatch, body: dict[str, Any]) -> None:
    """Store what a search has measured, and for the search that wanted it; raises InvalidEvent."""
    found = read(CandidatesFound, body).candidates
    if not isinstance(batch.job.spec, SearchSpec):
        raise InvalidEvent("only a search has candidates")
    if candidates.add(tx, batch.job.id, found, batch.now, most=MOST_CANDIDATES):
        # As a new checkpoint is: none that is stored is ever measured again.
        batch.values |= NEW_BEGIN
    _pass_on(tx, batch.job.id, found, batch.now)


def candidates_wanted(tx: Connection, batch: EventBatch, body: dict[str, Any]) -> None:
    """Store what a search wants measured by other jobs; raises InvalidEvent."""
    wanted, spec = read(CandidatesWanted, body).candidates, batch.job.spec
    if not isinstance(spec, SearchSpec) or spec.params.workers == 1:
        raise InvalidEvent("only a search by several workers has others measure")
    if wanted:
        known = candidates.count(tx, batch.job.id)
        search_parts.want(tx, batch.job.id, wanted, known, batch.now)


def _pass_on(tx: Connection, job_id: str, found: Sequence[Candidate], now: datetime) -> None:
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
    if not jobs.change(tx, part.search_id, _LIVE, {"progress": progress} | NEW_BEGIN):
        # Its end stays as it was; the version tells those who poll that there is more.
        jobs.change(tx, part.search_id, ENDED_JOBS, {})


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
