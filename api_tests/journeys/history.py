"""What happened in a chaos run, and the proof that nothing was lost and nothing ran twice."""

import hashlib
import json
import time
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

from service.client import TrainyardClient
from service.contract.checkpoints import Checkpoint
from service.contract.jobs import ENDED_JOBS, Job, Reason

_MODEL = "model.safetensors"


class History:
    """A list of moments, each a line of a file as soon as it happened."""

    def __init__(self, path: Path) -> None:
        self._path, self._began = path, time.monotonic()
        self.moments: list[dict[str, Any]] = []

    def note(self, kind: str, **fields: Any) -> None:
        """Add a moment."""
        moment = {"seconds": round(time.monotonic() - self._began, 3), "kind": kind} | fields
        self.moments.append(moment)
        with self._path.open("a") as file:
            file.write(json.dumps(moment) + "\n")

    def of(self, kind: str) -> list[dict[str, Any]]:
        """The moments of one kind, oldest first."""
        return [moment for moment in self.moments if moment["kind"] == kind]

    def faults(self) -> Counter[str]:
        """How often each fault was done."""
        return Counter(moment["what"] for moment in self.of("fault"))


def broken_promises(
    history: History, client: TrainyardClient, volume: Path, undisturbed: dict[int, str]
) -> list[str]:
    """One sentence for each promise that a finished run broke; `undisturbed` is by seed."""
    acknowledged = {moment["job_id"] for moment in history.of("acknowledged")}
    jobs = {job.id: job for job in client.jobs()}
    problems = [f"{lost} was acknowledged and is gone" for lost in acknowledged - jobs.keys()]
    problems += [
        f"{extra} was made, and acknowledged to nobody" for extra in jobs.keys() - acknowledged
    ]
    for job in jobs.values():
        found = [*_of_end(client, job), *_of_line(client, job), *_of_folders(volume, job)]
        if job.state == "succeeded":
            found += _of_weights(client, job, volume, undisturbed)
        problems += [f"{job.id}: {problem}" for problem in found]
    return problems


def _of_end(client: TrainyardClient, job: Job) -> Iterator[str]:
    if job.state not in ENDED_JOBS:
        yield f"never ended: it is {job.state}"
        return
    ends = [event.kind for event in client.events(job.id) if event.kind in ENDED_JOBS]
    if ends != [job.state]:
        yield f"ended as {ends}, and is {job.state}"
    # Three losses without a checkpoint between them are an end that the protocol knows.
    if job.state != "succeeded" and job.reason is not Reason.POISON:
        yield f"{job.state} as {job.reason}: {job.message}"
    live = [each.number for each in client.attempts(job.id) if each.finished_at is None]
    if live:
        yield f"has ended, and its attempts {live} have not"


def _of_line(client: TrainyardClient, job: Job) -> Iterator[str]:
    said = [event for event in client.events(job.id) if event.attempt is not None]
    for earlier, later in pairwise(said):
        if (later.attempt or 0) < (earlier.attempt or 0):
            yield f"attempt {later.attempt} was heard ({later.kind}) after {earlier.attempt}"
    for kind in ("claimed", "started"):
        twice = Counter(event.attempt for event in said if event.kind == kind)
        for number, times in twice.items():
            if times > 1:
                yield f"attempt {number} was {kind} {times} times"


def _of_folders(volume: Path, job: Job) -> Iterator[str]:
    for path in (volume / "jobs" / job.id / "attempts").glob("*/*/manifest.json"):
        manifest = json.loads(path.read_text())
        if (manifest["job_id"], str(manifest["attempt"])) != (job.id, path.parts[-3]):
            yield f"{path} was written by attempt {manifest['attempt']} of {manifest['job_id']}"
        if not path.parent.name.endswith(f"{manifest['step']:09d}"):
            yield f"{path} is of step {manifest['step']}"


def _of_weights(
    client: TrainyardClient, job: Job, volume: Path, undisturbed: dict[int, str]
) -> Iterator[str]:
    final: Checkpoint = client.latest_checkpoint(job=job.id)
    if final.phase != "final":
        yield f"succeeded, and its latest checkpoint is {final.phase} at step {final.step}"
        return
    digest = final.files[_MODEL].sha256
    on_disk = hashlib.sha256((volume / final.path / _MODEL).read_bytes()).hexdigest()
    if on_disk != digest:
        yield "its final weights are not those of their manifest"
    assert job.spec.kind == "train"
    if digest != undisturbed[job.spec.params["seed"]]:
        yield f"its final weights differ from the undisturbed run's, after {job.attempt} attempts"
