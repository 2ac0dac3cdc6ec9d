"""The checker of the chaos run sees what it is there for."""

import json
import os
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from api_tests.support.specs import complete_spec
from chaos.causes import unexplained_ends, unjustified_poison
from chaos.history import Fault
from chaos.jobs import SHORT
from chaos.journal import Journal
from chaos.writes import Leases, Writes
from service.contract.checkpoints import attempt_path
from service.contract.jobs import Attempt, AttemptState, Event, Job, JobState, Progress, Reason

NOW = datetime(2026, 1, 1, tzinfo=UTC)
CLAIMED, ENDED = 1000.0, 1010.0
LEASES = Leases(self_end_seconds=4.0, kill_grace_seconds=1.5)
JUMP = Fault("jump the clock", 1009.0, 1009.0)
STOP = Fault("stop an agent", 1001.0, 1020.0, "wrk_1")


def _job(**fields: Any) -> Job:
    spec = complete_spec(SHORT)
    known: dict[str, Any] = {"state": JobState.FAILED, "attempt": 1, "spec": spec}
    places: dict[str, Any] = {"id": "job_1", "kind": "train", "recipe": None, "variant": None}
    progress = Progress(total_steps=66)
    return Job(created_at=NOW, progress=progress, **(places | known | fields))


def _attempt(number: int, reason: Reason) -> Attempt:
    return Attempt(
        job_id="job_1",
        number=number,
        worker_id="wrk_1",
        state=AttemptState.LOST if reason is Reason.WORKER_LOST else AttemptState.FAILED,
        reason=reason,
        created_at=NOW,
    )


def _journal(folder: Path, attempts: int = 1) -> Journal:
    lines = [
        {"at": at, "job_id": "job_1", "attempt": number, "kind": kind}
        for number in range(1, attempts + 1)
        for at, kind in ((CLAIMED, "claimed"), (ENDED, "requeued"))
    ]
    path = folder / "journal.jsonl"
    path.write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    return Journal(path)


def _checkpoint(number: int) -> Event:
    fields = {"kind": "checkpoint", "message": "checkpoint at step 6: ckpt_1", "created_at": NOW}
    return Event.model_validate({"number": 1, "job_id": "job_1", "attempt": number} | fields)


@pytest.mark.parametrize(
    ("written", "faults", "broken"),
    [
        (1005.0, (), False),
        (999.0, (), True),
        (1012.0, (), True),
        (1012.0, (JUMP,), False),
        (1014.0, (JUMP,), True),
        (1014.0, (JUMP, Fault("cut the network", 1009.0, 1016.0)), False),
        (1012.0, (STOP,), True),
        (1021.0, (STOP,), False),
        (1025.0, (STOP,), True),
        (1021.0, (Fault("stop an agent", 1001.0, 1020.0, "wrk_2"),), True),
    ],
)
def test_a_write_outside_an_attempts_life_is_seen_unless_it_could_not_know(
    tmp_path: Path, written: float, faults: Sequence[Fault], broken: bool
) -> None:
    folder = tmp_path / attempt_path("job_1", 1)
    folder.mkdir(parents=True)
    (folder / "log.txt").touch()
    os.utime(folder / "log.txt", (written, written))
    workers, journal = {1: "wrk_1"}, _journal(tmp_path)
    writes = Writes(_job(), [], workers, tmp_path, journal, faults, LEASES)
    assert bool(list(writes.problems())) is broken


def test_who_goes_on_from_what_was_never_recorded_is_seen(tmp_path: Path) -> None:
    folder = tmp_path / attempt_path("job_1", 2)
    folder.mkdir(parents=True)
    body = {"resumed_from": "ckpt_1", "step": 6, "total_steps": 66}
    (folder / "events.jsonl").write_text(json.dumps({"kind": "started", "body": body}) + "\n")
    os.utime(folder / "events.jsonl", (CLAIMED + 1, CLAIMED + 1))
    workers, journal, job = {1: "wrk_1", 2: "wrk_1"}, _journal(tmp_path, 2), _job(attempt=2)
    for recorded in (1, 2):
        events = [_checkpoint(recorded)]
        writes = Writes(job, events, workers, tmp_path, journal, (), LEASES)
        assert bool(list(writes.problems())) is (recorded == 2)
    assert list(Writes(job, [], workers, tmp_path, journal, (), LEASES).problems())


@pytest.mark.parametrize(
    ("reasons", "checkpoints", "deserved"),
    [
        ([Reason.WORKER_LOST] * 3, [], True),
        ([Reason.WORKER_LOST, Reason.CRASHED, Reason.WORKER_UNFIT, Reason.WORKER_LOST], [], True),
        ([Reason.DISK_FULL] * 3, [], False),
        ([Reason.WORKER_LOST] * 3, [2], False),
        ([Reason.WORKER_LOST] * 4, [2], True),
        ([Reason.WORKER_LOST] * 2, [], False),
        ([Reason.WORKER_LOST] * 4, [], False),
        ([Reason.WORKER_LOST] * 3 + [Reason.CRASHED], [], False),
    ],
)
def test_a_poison_end_must_be_three_losses_without_a_checkpoint_between_them(
    reasons: list[Reason], checkpoints: list[int], deserved: bool
) -> None:
    attempts = [_attempt(number, reason) for number, reason in enumerate(reasons, 1)]
    job = _job(reason=Reason.POISON, attempt=len(attempts))
    events = [_checkpoint(number) for number in checkpoints]
    assert bool(list(unjustified_poison(job, attempts, events))) is not deserved


@pytest.mark.parametrize(
    ("reason", "what", "explained"),
    [
        (Reason.WORKER_LOST, "stop an agent", True),
        (Reason.CRASHED, "kill a rank", True),
        (Reason.CRASHED, "cut the network", False),
        (Reason.DISK_FULL, "fill the disk", True),
        (Reason.INVALID_DATA, "fill the disk", False),
    ],
)
def test_an_end_must_come_of_something_that_was_done_to_the_attempt(
    tmp_path: Path, reason: Reason, what: str, explained: bool
) -> None:
    done = [Fault(what, 1001.0, 1002.0, "wrk_1"), Fault("cut the network", 1020.0, 1030.0)]
    found = unexplained_ends([_attempt(1, reason)], _journal(tmp_path), done)
    assert bool(list(found)) is not explained
