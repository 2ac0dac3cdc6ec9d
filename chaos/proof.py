"""The proof that in a chaos run nothing was lost and nothing ran twice."""

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from chaos.causes import unexplained_ends, unjustified_poison
from chaos.history import History
from chaos.jobs import seed_of, table_of
from chaos.journal import Journal
from chaos.writes import Leases, Writes
from service.client import TrainyardClient
from service.contract.checkpoints import Checkpoint
from service.contract.jobs import ENDED_JOBS, Attempt, Event, Job, JobState, Reason
from service.volume.folder import checkpoints_in, verify

_MODEL = "model.safetensors"
_AFTER_AN_END = ("claimed", "started", "checkpoint", "requeued", "resumed", "paused")


@dataclass(frozen=True)
class Proof:
    """One sentence for each promise that was broken; how long each of the superseded wrote on."""

    problems: list[str]
    late_seconds: list[float]


@dataclass(frozen=True)
class Outcome:
    """What a job came to: the digest of its final weights, and the table of a search."""

    digest: str
    table: tuple[Mapping[str, Any], ...]


@dataclass(frozen=True)
class _Case:
    job: Job
    attempts: list[Attempt]
    events: list[Event]


class Checker:
    """Looks at a finished run; `undisturbed` has by seed what came of a job without faults."""

    def __init__(
        self,
        history: History,
        client: TrainyardClient,
        volume: Path,
        journal: Journal,
        leases: Leases,
        undisturbed: dict[int, Outcome],
    ) -> None:
        self._history, self._client, self._volume = history, client, volume
        self._journal, self._leases, self._undisturbed = journal, leases, undisturbed
        self._faults = history.faults()

    def proof(self) -> Proof:
        """Of every job that was acknowledged, and every one that is there."""
        acknowledged = self._history.jobs_of("acknowledged")
        jobs = {job.id: job for job in self._client.jobs()}
        problems = [f"{lost} was acknowledged and is gone" for lost in acknowledged - jobs.keys()]
        problems += [
            f"{extra} was made, and acknowledged to nobody" for extra in jobs.keys() - acknowledged
        ]
        late_seconds: list[float] = []
        for job in jobs.values():
            events = list(self._client.events(job.id))
            case = _Case(job, self._client.attempts(job.id), events)
            writes = self._writes(case)
            late_seconds += [late.seconds for late in writes.late()]
            problems += [
                f"{job.id}: {problem}" for problem in (*self._problems(case), *writes.problems())
            ]
        return Proof(problems, late_seconds)

    def _problems(self, case: _Case) -> Iterator[str]:
        yield from _end_problems(case)
        yield from _order_problems(case)
        yield from self._request_problems(case)
        yield from unjustified_poison(case.job, case.attempts, case.events)
        yield from unexplained_ends(case.attempts, self._journal, self._faults)
        yield from self._folder_problems(case.job)
        if case.job.state is JobState.SUCCEEDED:
            yield from self._weight_problems(case.job)

    def _writes(self, case: _Case) -> Writes:
        workers = {each.number: each.worker_id for each in case.attempts}
        return Writes(
            case.job,
            case.events,
            workers,
            self._volume,
            self._journal,
            self._faults,
            self._leases,
        )

    def _request_problems(self, case: _Case) -> Iterator[str]:
        job, kinds = case.job, [event.kind for event in case.events]
        if job.state is JobState.CANCELLED and job.id not in self._history.jobs_of("cancel asked"):
            yield "is cancelled, and nobody asked for it"
        acknowledged = job.id in self._history.jobs_of("cancel acknowledged")
        if acknowledged and job.state not in (JobState.CANCELLED, JobState.SUCCEEDED):
            yield f"a cancel was acknowledged, and it is {job.state}"
        if "cancel" in kinds and "claimed" in kinds[kinds.index("cancel") :]:
            yield "was claimed after its cancel"
        is_paused = False
        for kind in kinds:
            if kind == "claimed" and is_paused:
                yield "was claimed while it was paused"
            is_paused = kind == "paused" or (is_paused and kind != "resumed")

    def _folder_problems(self, job: Job) -> Iterator[str]:
        published = {c.path for c in self._client.checkpoints(job=job.id) if c.state == "published"}
        root = self._volume / "jobs" / job.id
        there = {str(path.relative_to(self._volume)): path for path, _ in checkpoints_in(root)}
        for missing in published - there.keys():
            yield f"{missing} is published, and not on the volume"
        for name, folder in there.items():
            problems = verify(folder)
            # The server may have removed what it had let go.
            if problems and (name in published or folder.exists()):
                yield f"{name} is not whole: {'; '.join(problems)}"

    def _weight_problems(self, job: Job) -> Iterator[str]:
        final: Checkpoint = self._client.latest_checkpoint(job=job.id)
        if final.phase != "final":
            yield f"succeeded, and its latest checkpoint is {final.phase} at step {final.step}"
            return
        digest = final.files[_MODEL].sha256
        on_disk = hashlib.sha256((self._volume / final.path / _MODEL).read_bytes()).hexdigest()
        if on_disk != digest:
            yield "its final weights are not those of their manifest"
        undisturbed = self._undisturbed[seed_of(job)]
        if table_of(self._client, job) != undisturbed.table:
            yield f"its table differs from the undisturbed search's, after {job.attempt} tries"
        if digest != undisturbed.digest:
            yield f"its final weights differ from the undisturbed run's, after {job.attempt} tries"


def _end_problems(case: _Case) -> Iterator[str]:
    job, kinds = case.job, [event.kind for event in case.events]
    if job.state not in ENDED_JOBS:
        yield f"never ended: it is {job.state}"
        return
    ends = [kind for kind in kinds if kind in ENDED_JOBS]
    # What was cancelled while it waited has its cancel as its end.
    waited = job.message in ("cancelled while queued", "cancelled while paused")
    end = "cancel" if job.state is JobState.CANCELLED and waited else job.state
    if ends != ([] if end == "cancel" else [job.state]) or end not in kinds:
        yield f"ended as {ends}, and is {job.state}"
        return
    after = [kind for kind in kinds[kinds.index(end) :] if kind in _AFTER_AN_END]
    if after:
        yield f"had ended, and then came {after}"
    if job.state is JobState.FAILED and job.reason is not Reason.POISON:
        yield f"failed as {job.reason}: {job.message}"
    live = [each.number for each in case.attempts if each.finished_at is None]
    if live:
        yield f"has ended, and its attempts {live} have not"


def _order_problems(case: _Case) -> Iterator[str]:
    events = [event for event in case.events if event.attempt is not None]
    for earlier, later in pairwise(events):
        if (later.attempt or 0) < (earlier.attempt or 0):
            yield f"attempt {later.attempt} was heard ({later.kind}) after {earlier.attempt}"
    for kind in ("claimed", "started"):
        twice = Counter(event.attempt for event in events if event.kind == kind)
        for number, times in twice.items():
            if times > 1:
                yield f"attempt {number} was {kind} {times} times"
    damaged = [event.message for event in events if event.kind == "damaged"]
    yield from damaged
