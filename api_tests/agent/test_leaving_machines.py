"""Machines that take no more attempts, or are taken away, while a worker has or gets one."""

import signal
from pathlib import Path

import pytest

from api_tests.support.claims import LONG, a_claim
from api_tests.support.fake_attempt import FakeAttempt
from api_tests.support.fake_control_plane import FakeControlPlane
from api_tests.support.leaving_machines import LeavingMachines
from api_tests.support.worker_process import StartWorker
from workers.checkpoints.folder import verify
from workers.launcher.base import Availability

NEVER_LOOKS = {"workers.agent.availability._EVERY_SECONDS": 3600.0}


@pytest.fixture
def machines(tmp_path: Path) -> LeavingMachines:
    return LeavingMachines(tmp_path / "machines")


@pytest.mark.parametrize("availability", [Availability.CLOSING, Availability.ENDING])
def test_a_claim_that_is_answered_once_the_machines_take_none_is_given_back_unstarted(
    control_plane: FakeControlPlane,
    start_worker: StartWorker,
    machines: LeavingMachines,
    availability: Availability,
) -> None:
    # By itself it would see the change within a second, and the claim may come before.
    worker = start_worker(
        *machines.flags, ranks="obeys", constants=NEVER_LOOKS, **machines.variables
    )
    control_plane.wait_for(lambda: control_plane.claim_requests)
    machines.become(availability)
    held = control_plane.offer(a_claim())
    report = control_plane.report_of(held)
    assert (report.outcome, report.reason) == ("released", "released")
    assert "take no new attempt" in report.message
    assert held.events == []
    assert '"event": "attempt_started"' not in worker.log()
    if availability is Availability.CLOSING:
        assert worker.process.poll() is None
        worker.process.send_signal(signal.SIGTERM)
    assert worker.process.wait(60) == 0
    # It has asked for no other job: that would have been given back as well, again and again.
    assert len(control_plane.claim_requests) == 1


def test_a_worker_whose_machines_are_open_again_claims_again(
    control_plane: FakeControlPlane, start_worker: StartWorker, machines: LeavingMachines
) -> None:
    worker = start_worker(*machines.flags, ranks="succeeds", **machines.variables)
    control_plane.wait_for(lambda: control_plane.claim_requests)
    machines.become(Availability.CLOSING)
    worker.wait_for_log("availability")
    declined = control_plane.offer(a_claim())
    assert control_plane.report_of(declined).outcome == "released"
    machines.become(Availability.OPEN)
    taken = control_plane.offer(a_claim("job_2"))
    assert control_plane.report_of(taken).outcome == "succeeded"


def test_a_training_saves_and_is_given_back_before_its_machines_are_taken_away(
    control_plane: FakeControlPlane,
    start_worker: StartWorker,
    machines: LeavingMachines,
    tmp_path: Path,
) -> None:
    # However long it would wait for the training after a signal.
    worker = start_worker(*machines.flags, "--on-drain", "wait", **machines.variables)
    held = control_plane.offer(a_claim(params=LONG))
    control_plane.wait_for(lambda: "progress" in held.kinds())
    # No more claims, which the training does not feel.
    machines.become(Availability.CLOSING)
    worker.wait_for_log("availability")
    step = newest_step(held)
    control_plane.wait_for(lambda: newest_step(held) > step)
    assert held.report is None
    machines.become(Availability.ENDING)
    report = control_plane.report_of(held)
    assert (report.outcome, report.reason) == ("released", "released")
    (saved,) = [event.body for event in held.events if event.kind == "checkpoint"]
    assert saved["checkpoint"]["step"] >= newest_step(held) > step
    assert verify(tmp_path / saved["path"]) == []
    assert worker.process.wait(60) == 0
    assert control_plane.gone == [control_plane.registered[0][0]]


def newest_step(held: FakeAttempt) -> int:
    """The step that the attempt has told of last."""
    steps = [event.body["step"] for event in held.events if event.kind == "progress"]
    return int(steps[-1])
