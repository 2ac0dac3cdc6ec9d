"""What follows for a search that has others measure: jobs for it, its end with one of them.

Each turn looks at what is there: no end of a job or a server can be missed. A search waits in the
queue as long as a part of it is live; `service.store.resource_classes` has that.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from itertools import pairwise
from typing import Literal

from sqlalchemy import Connection

from service.contract.access import Role
from service.contract.candidates import WantedCandidate
from service.contract.counts import count_text
from service.contract.ids import later_id
from service.contract.jobs import ENDED_JOBS, JobState, Reason
from service.contract.specs import CheckpointRef, SearchSpec
from service.contract.text import cut_text
from service.control.jobs import search_family
from service.control.jobs.new_jobs import NewJob, SubmissionKey, new_job, store
from service.control.kinds.base import CheckedSubmission
from service.control.leases.transitions import fail_waiting
from service.domain.access import Caller
from service.store import candidates, checkpoints, history, jobs, search_parts
from service.store.job_rows import StoredJob
from service.store.search_parts import NOT_GIVEN, PartState, StoredPart

_NAME_LENGTH = 200
_MOST_NAMED = 3

Step = Literal["cancel", "pause", "forget", "fail", "give"]


def is_due(tx: Connection, search_id: str) -> bool:
    """Whether a turn of a search would change anything."""
    search = jobs.get(tx, search_id)
    return (
        search is not None and _step_of(search, search_parts.states_of(tx, search_id)) is not None
    )


def take(tx: Connection, search_id: str, *, new_id: Callable[[str], str], now: datetime) -> None:
    """Make jobs for what a search wants measured, or have its parts follow its state or theirs."""
    search = jobs.get(tx, search_id, lock=True)
    if search is None:
        return
    search_family.lock_parts(tx, [search.job])
    parts = search_parts.states_of(tx, search_id)
    step = _step_of(search, parts)
    if step == "cancel":
        search_family.cancel_parts(tx, [search.job], "graceful", now)
    elif step == "pause":
        search_family.pause_parts(tx, [search.job], now)
    elif step == "forget":
        ended = [each.number for each in parts if not each.is_live]
        search_parts.delete_numbers(tx, search_id, ended)
    elif step == "fail":
        _fail(tx, search, parts, now)
    elif step == "give":
        _give(tx, search, new_id, now)


def _step_of(search: StoredJob, parts: Sequence[PartState]) -> Step | None:
    state, live = search.job.state, [each for each in parts if each.is_live]
    is_search = isinstance(search.job.spec, SearchSpec)
    if state in (*ENDED_JOBS, JobState.CANCELLING):
        if any(each.state is not JobState.CANCELLING for each in live):
            return "cancel"
        return "forget" if state in ENDED_JOBS and len(live) < len(parts) else None
    if state in (JobState.PAUSED, JobState.PAUSING):
        running = (JobState.QUEUED, JobState.RUNNING)
        return "pause" if any(each.state in running for each in live) else None
    if state is not JobState.QUEUED:
        return None
    if any(each.state is JobState.FAILED for each in parts):
        return "fail"
    if any(each.number == NOT_GIVEN for each in parts) and not live:
        # One that this version cannot read is ended at its turn.
        return "give" if is_search else "forget"
    return None


def _fail(tx: Connection, search: StoredJob, parts: Sequence[PartState], now: datetime) -> None:
    """End a search of which a part has failed for good, and the other parts."""
    failed = next(each.job_id for each in parts if each.state is JobState.FAILED)
    assert failed is not None, "a part without a job has no state"
    part = jobs.get(tx, failed)
    assert part is not None, "its row refers to it"
    reason, why = part.job.reason or Reason.CRASHED, part.job.message or "no message"
    message = f"{failed}, which measured candidates for it, has failed: {why}"
    fail_waiting(tx, search, reason, message, now)
    search_family.cancel_parts(tx, [search.job], "graceful", now)


def _give(tx: Connection, search: StoredJob, new_id: Callable[[str], str], now: datetime) -> None:
    """Have what a search wants measured by jobs of its own."""
    spec, search_id = search.job.spec, search.job.id
    assert isinstance(spec, SearchSpec)
    rows = search_parts.of_search(tx, search_id)
    wanted = next(each.wanted for each in rows if each.number == NOT_GIVEN)
    unmeasured = _unmeasured(tx, search_id, rows, wanted)
    search_parts.delete_numbers(tx, search_id, [each.number for each in rows])
    if unmeasured is not None:
        fail_waiting(tx, search, Reason.CRASHED, unmeasured, now)
        return
    if not wanted:
        message = "what it wants measured cannot be read: it asks for it again"
        history.note(tx, search_id, search.job.attempt or None, "note", message, now)
        return
    groups = divided(wanted, spec.params.workers)
    new = [
        # The clock of this server may be behind that of the one that has made the search.
        _part(
            tx, search, spec, [number, len(groups)], group, later_id(new_id("job"), search_id), now
        )
        for number, group in enumerate(groups, 1)
    ]
    store(tx, new)
    known = candidates.count(tx, search_id)
    search_parts.add_all(
        tx,
        [
            StoredPart(search_id, number, each.job.id, tuple(group), now, known)
            for number, (each, group) in enumerate(zip(new, groups, strict=True), 1)
        ],
    )
    named = ", ".join(each.job.id for each in new[:_MOST_NAMED])
    more = f" and {len(new) - _MOST_NAMED} more" if len(new) > _MOST_NAMED else ""
    given = f"{count_text(len(wanted), 'candidate')} to {count_text(len(new), 'job')}"
    message = f"it gives {given}, which measure them: {named}{more}"
    history.note(tx, search_id, search.job.attempt or None, "note", message, now)


def _unmeasured(
    tx: Connection,
    search_id: str,
    rows: Sequence[StoredPart],
    wanted: Sequence[WantedCandidate],
) -> str | None:
    """Why it is no use to ask again: a part has succeeded without what it was to measure."""
    again = {each.blocks for each in wanted}
    states = {each.number: each.state for each in search_parts.states_of(tx, search_id)}
    for row in rows:
        lost = again & {each.blocks for each in row.wanted}
        if lost and states[row.number] is JobState.SUCCEEDED:
            missing = count_text(len(lost), "candidate")
            return f"{row.job_id} has succeeded, and told nothing of {missing} that it was given"
    return None


def divided(wanted: Sequence[WantedCandidate], most: int) -> list[list[WantedCandidate]]:
    """At most so many groups, of sizes that differ by one at most.

    Neighbours in the order of their blocks have the longest beginnings in common, which a job
    computes once for all of them.
    """
    ordered, count = sorted(wanted, key=lambda each: each.blocks), min(most, len(wanted))
    bounds = [len(ordered) * number // count for number in range(count + 1)]
    return [ordered[start:end] for start, end in pairwise(bounds)]


def _part(
    tx: Connection,
    search: StoredJob,
    spec: SearchSpec,
    place: Sequence[int],
    group: Sequence[WantedCandidate],
    job_id: str,
    now: datetime,
) -> NewJob:
    """The job that measures a group; it is not checked: the search was, and nobody sent it."""
    number, count = place
    generation = group[0].generation
    of_generation = f"generation {generation}, " if generation else ""
    which = f"{of_generation}part {number} of {count}"
    name = cut_text(spec.name or search.job.id, _NAME_LENGTH - len(which) - 2)
    given = {"candidates": tuple(each.blocks for each in group)}
    alone = {"workers": 1, "publish": False, "known": None}
    source_id = search.source_checkpoint
    source = checkpoints.get(tx, source_id) if source_id is not None else None
    part = spec.model_copy(
        update={
            "name": f"{name}: {which}",
            "labels": search_family.labels_of_part(search.job.id, spec.labels),
            "params": spec.params.model_copy(update=given | alone),
            "checkpoint": CheckpointRef(id=source_id) if source_id else spec.checkpoint,
        }
    )
    checked = CheckedSubmission(part, search.job.recipe, search.job.variant, source)
    by = Caller(search.job.submitted_by, Role.USER)
    message = f"submitted: {which} of {search.job.id}"
    key = SubmissionKey(None, "")
    return new_job(
        checked,
        key,
        forms=search.needs.forms,
        job_id=job_id,
        message=message,
        now=now,
        by=by,
        part_of=search.job.id,
    )
