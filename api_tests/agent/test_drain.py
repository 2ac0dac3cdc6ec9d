"""Signals to the agent."""

import signal
from pathlib import Path

import pytest

from api_tests.support.claims import a_claim
from api_tests.support.fake_control_plane import FakeControlPlane
from api_tests.support.worker_process import StartWorker, all_ended


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_an_idle_worker_says_goodbye_and_ends(
    control_plane: FakeControlPlane, start_worker: StartWorker, number: signal.Signals
) -> None:
    control_plane.goodbye_seconds = 0.5
    worker = start_worker(ranks="succeeds")
    control_plane.wait_for(lambda: control_plane.claim_requests)
    worker.process.send_signal(number)
    assert worker.process.wait(5) == 0
    # Once: the claim that was waiting is told that nobody knows the worker any more.
    ((worker_id, _),) = control_plane.registered
    assert control_plane.gone == [worker_id]


def test_a_drain_that_releases_gives_the_job_back_and_claims_nothing(
    control_plane: FakeControlPlane, start_worker: StartWorker
) -> None:
    worker = start_worker("--slots", "2", ranks="obeys")
    held = control_plane.offer(a_claim("job_1"))
    control_plane.wait_for(lambda: "started" in held.kinds())
    asked = len(control_plane.claim_requests)
    worker.process.send_signal(signal.SIGTERM)
    assert worker.process.wait(10) == 0
    assert control_plane.report_of(held).outcome == "released"
    assert len(control_plane.claim_requests) == asked
    assert control_plane.gone == [control_plane.registered[0][0]]


def test_a_drain_that_waits_lets_the_attempt_finish(
    control_plane: FakeControlPlane, start_worker: StartWorker, tmp_path: Path
) -> None:
    worker = start_worker("--on-drain", "wait", "--slots", "2", ranks="waits_for_a_file")
    held, late = control_plane.offer(a_claim("job_1")), None
    control_plane.wait_for(lambda: "started" in held.kinds())
    worker.process.send_signal(signal.SIGTERM)
    # The claim that was already waiting gets a job that the worker does not want any more.
    worker.wait_for_log("draining")
    late = control_plane.offer(a_claim("job_2"))
    assert control_plane.report_of(late).outcome == "released"
    assert late.events == []
    (tmp_path / "jobs/job_1/attempts/1/go").touch()
    assert worker.process.wait(10) == 0
    assert control_plane.report_of(held).outcome == "succeeded"


def test_a_second_signal_ends_everything_now_and_says_so(
    control_plane: FakeControlPlane, start_worker: StartWorker
) -> None:
    worker = start_worker(ranks="refuses")
    held = control_plane.offer(a_claim())
    control_plane.wait_for(lambda: "started" in held.kinds())
    tree = worker.tree()
    worker.process.send_signal(signal.SIGTERM)
    worker.wait_for_log("draining")
    worker.process.send_signal(signal.SIGTERM)
    worker.process.wait(5)
    assert all_ended(tree)
    assert control_plane.report_of(held).outcome == "released"


@pytest.mark.parametrize("ranks", ["obeys", "talks_at_its_end"])
def test_a_drain_without_a_control_plane_ends_when_the_report_had_its_grace(
    control_plane: FakeControlPlane, start_worker: StartWorker, ranks: str
) -> None:
    worker = start_worker(ranks=ranks)
    held = control_plane.offer(a_claim(lease={"kill_grace_seconds": 2}))
    control_plane.wait_for(lambda: "started" in held.kinds())
    control_plane.stop()
    tree = worker.tree()
    worker.process.send_signal(signal.SIGTERM)
    assert worker.process.wait(10) == 0
    assert all_ended(tree)
    worker.wait_for_log("last_reports_abandoned")
    control_plane.start()


def test_a_drain_that_waits_does_not_wait_for_a_lease_that_nobody_confirms(
    control_plane: FakeControlPlane, start_worker: StartWorker
) -> None:
    worker = start_worker("--on-drain", "wait", ranks="obeys")
    control_plane.silent = True
    held = control_plane.offer(a_claim(lease={"kill_grace_seconds": 1}))
    control_plane.wait_for(lambda: control_plane.hushed)
    worker.process.send_signal(signal.SIGTERM)
    assert worker.process.wait(20) == 0
    assert held.events == []
    control_plane.speak()


def test_a_drain_outlasts_an_absent_control_plane_until_a_second_signal(
    control_plane: FakeControlPlane, start_worker: StartWorker
) -> None:
    worker = start_worker(ranks="obeys")
    held = control_plane.offer(a_claim())
    control_plane.wait_for(lambda: "started" in held.kinds())
    control_plane.stop()
    worker.process.send_signal(signal.SIGTERM)
    worker.wait_for_log("control_plane_unreachable")
    assert worker.process.poll() is None
    worker.process.send_signal(signal.SIGTERM)
    worker.process.wait(5)
    control_plane.start()
