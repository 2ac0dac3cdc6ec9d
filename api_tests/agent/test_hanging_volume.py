"""A volume whose calls do not return: the worker keeps its leases."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from api_tests.support.claims import a_claim
from api_tests.support.fake_attempt import FakeAttempt
from api_tests.support.fake_control_plane import FakeControlPlane
from api_tests.support.polling import eventually
from api_tests.support.worker_process import StartWorker

QUICK = {"heartbeat_seconds": 0.2}
IMPATIENT = QUICK | {"stall_seconds": 1.0, "kill_grace_seconds": 0.5, "self_end_seconds": 30.0}
FOLDER = "jobs/job_1/attempts/1"


def test_a_volume_that_hangs_holds_up_no_heartbeat(
    control_plane: FakeControlPlane, start_worker: StartWorker, tmp_path: Path
) -> None:
    worker = start_worker(ranks="hides_its_events")
    held = control_plane.offer(a_claim(lease=QUICK))
    folder = hung_after_its_start(control_plane, held, tmp_path)
    until = held.beats + 15
    control_plane.wait_for(lambda: held.beats >= until)
    assert held.report is None
    (folder / "go").touch()
    report = control_plane.report_of(held)
    assert (report.outcome, held.kinds()) == ("succeeded", ["started", "ended"])
    worker.wait_for_log("attempt_ended")


def test_a_volume_that_hangs_for_ever_ends_the_attempt_as_stalled(
    control_plane: FakeControlPlane, start_worker: StartWorker, tmp_path: Path
) -> None:
    worker = start_worker(ranks="hides_its_events")
    held = control_plane.offer(a_claim(lease=IMPATIENT))
    folder = hung_after_its_start(control_plane, held, tmp_path)
    worker.wait_for_log("stalled")
    # The end is told once the volume answers.
    with answering(folder / "events.jsonl"):
        (folder / "kept").rename(folder / "events.jsonl")
        report = control_plane.report_of(held)
    assert (report.outcome, report.reason) == ("failed", "stalled")


def test_an_attempt_that_a_hanging_volume_lets_not_even_start_is_left_to_its_lease(
    control_plane: FakeControlPlane, start_worker: StartWorker, tmp_path: Path
) -> None:
    spec = hung_before_its_start(tmp_path)
    worker = start_worker(ranks="succeeds")
    held = control_plane.offer(a_claim(lease=IMPATIENT))
    worker.wait_for_log("wedged")
    left_at, others = held.beats, control_plane.heartbeats
    control_plane.wait_for(lambda: control_plane.heartbeats > others + 5)
    assert held.beats == left_at
    with answering(spec):
        worker.wait_for_log("attempt_ended")


def test_a_slow_start_costs_no_lease_that_was_renewed_meanwhile(
    control_plane: FakeControlPlane, start_worker: StartWorker, tmp_path: Path
) -> None:
    spec = hung_before_its_start(tmp_path)
    start_worker(ranks="succeeds")
    held = control_plane.offer(
        a_claim(lease=QUICK | {"self_end_seconds": 2.0, "kill_grace_seconds": 0.5})
    )
    # Far longer than an attempt of which nothing is heard may go on.
    control_plane.wait_for(lambda: held.beats > 25)
    with answering(spec):
        assert control_plane.report_of(held).outcome == "succeeded"


def hung_after_its_start(control_plane: FakeControlPlane, held: FakeAttempt, volume: Path) -> Path:
    """The folder of an attempt that runs, and whose events cannot be read any more."""
    control_plane.wait_for(lambda: "started" in held.kinds())
    folder = volume / FOLDER
    (folder / "hang").touch()
    eventually((folder / "hangs").exists)
    return folder


def hung_before_its_start(volume: Path) -> Path:
    """The file of an attempt's spec: who writes to it waits, since nobody reads."""
    spec = volume / FOLDER / "spec.partial"
    spec.parent.mkdir(parents=True)
    os.mkfifo(spec)
    return spec


@contextmanager
def answering(pipe: Path) -> Iterator[None]:
    """Whoever waits for the other end of the pipe waits no more."""
    handle = os.open(pipe, os.O_RDWR)
    yield
    os.close(handle)
