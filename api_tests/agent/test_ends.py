"""The end of a process tree: asked for, or by a kill."""

import signal
import time
from pathlib import Path
from typing import cast

import psutil
import pytest

from api_tests.support.claims import a_claim
from api_tests.support.fake_attempt import FakeAttempt
from api_tests.support.fake_control_plane import FakeControlPlane
from api_tests.support.gpu_driver import FakeDriver
from api_tests.support.polling import eventually
from api_tests.support.worker_process import StartWorker, Worker, all_ended
from service.contract.agent import BeatReply, Report
from service.contract.checkpoints import attempt_path
from workers.agent.attempt import Attempt
from workers.agent.worker_paths import WorkerPaths
from workers.launcher.base import Launcher

QUICK = {"heartbeat_seconds": 0.2}
SHORT = QUICK | {"self_end_seconds": 2, "kill_grace_seconds": 1}
SOON_SECONDS = 2.0


def _tree_of_a_stubborn_attempt(
    worker: Worker, control_plane: FakeControlPlane, held: FakeAttempt
) -> list[psutil.Process]:
    control_plane.wait_for(lambda: "started" in held.kinds())
    worker.titled("rank-0:job_1")
    tree = [process for process in worker.tree() if process != worker.titled("warm")]
    # The supervisor, the rank, its child in a session of its own, and an orphan in another.
    assert len(tree) == 4
    return tree


def test_a_directive_to_stop_ends_the_whole_tree_at_once(
    control_plane: FakeControlPlane, start_worker: StartWorker
) -> None:
    worker = start_worker(ranks="refuses")
    held = control_plane.offer(a_claim(lease=QUICK))
    tree = _tree_of_a_stubborn_attempt(worker, control_plane, held)
    held.directive = "stop"
    eventually(lambda: all_ended(tree), SOON_SECONDS)
    assert control_plane.report_of(held).outcome == "released"


def test_ranks_that_do_not_save_within_the_grace_are_killed(
    control_plane: FakeControlPlane, start_worker: StartWorker
) -> None:
    worker = start_worker(ranks="refuses")
    held = control_plane.offer(a_claim(lease=QUICK | {"kill_grace_seconds": 1}))
    tree = _tree_of_a_stubborn_attempt(worker, control_plane, held)
    held.directive = "checkpoint_and_stop"
    report = control_plane.report_of(held)
    assert all_ended(tree)
    assert (report.outcome, report.reason) == ("released", "released")


def test_a_lost_lease_ends_the_tree_and_is_reported_by_nobody(
    control_plane: FakeControlPlane, start_worker: StartWorker
) -> None:
    worker = start_worker(ranks="refuses")
    held = control_plane.offer(a_claim(lease=QUICK))
    tree = _tree_of_a_stubborn_attempt(worker, control_plane, held)
    held.lease_lost = True
    eventually(lambda: all_ended(tree), SOON_SECONDS)
    control_plane.wait_for(lambda: len(control_plane.claim_requests) == 2)
    assert control_plane.reports == []


def test_a_worker_that_hears_nothing_ends_its_tree_and_gives_the_job_back(
    control_plane: FakeControlPlane, start_worker: StartWorker
) -> None:
    worker = start_worker(ranks="refuses")
    held = control_plane.offer(a_claim(lease=SHORT))
    tree = _tree_of_a_stubborn_attempt(worker, control_plane, held)
    control_plane.hold_tongue()
    began = time.monotonic()
    eventually(lambda: all_ended(tree), 2 + 1 + 1)
    # Counted from the last beat that was answered, which a heartbeat ago it was.
    assert time.monotonic() - began > 2 - 1
    control_plane.speak()
    report = control_plane.report_of(held)
    assert (report.outcome, report.reason) == ("released", "released")
    assert "2 s" in report.message


def test_the_tree_of_an_agent_that_is_stopped_ends_before_another_may_have_the_job(
    control_plane: FakeControlPlane, start_worker: StartWorker
) -> None:
    worker = start_worker(ranks="refuses")
    held = control_plane.offer(a_claim(lease=SHORT))
    tree = _tree_of_a_stubborn_attempt(worker, control_plane, held)
    worker.process.send_signal(signal.SIGSTOP)
    eventually(lambda: all_ended(tree), 2 + 1 + SOON_SECONDS)
    worker.process.send_signal(signal.SIGCONT)
    report = control_plane.report_of(held)
    assert (report.outcome, report.reason) == ("released", "released")


def test_an_agent_that_was_stopped_before_it_started_the_ranks_starts_none(tmp_path: Path) -> None:
    claim = a_claim(lease={"self_end_seconds": 2, "kill_grace_seconds": 1})
    reports: list[Report] = []

    def deliver(report: Report) -> BeatReply:
        reports.append(report)
        return FakeAttempt(claim).reply()

    places, nobody = WorkerPaths(tmp_path, tmp_path, tmp_path), cast(Launcher, None)
    attempt = Attempt(claim, places, nobody, deliver, clock=lambda: 100.0)
    attempt.take_reply(FakeAttempt(claim).reply(), sent_at=97.0)
    attempt.run()
    assert [(each.outcome, each.reason) for each in reports] == [("released", "released")]
    assert not list(tmp_path.iterdir())


def test_ranks_that_were_ended_while_torch_was_loading_are_never_started(
    control_plane: FakeControlPlane, start_worker: StartWorker, tmp_path: Path
) -> None:
    loaded = tmp_path / "loaded"
    worker = start_worker(ranks="late_ranks:starts", LOADED=str(loaded))
    held = control_plane.offer(a_claim(lease=QUICK))
    worker.wait_for_log("attempt_started")
    held.directive = "stop"
    worker.wait_for_log("stopping")
    loaded.touch()
    assert control_plane.report_of(held).outcome == "released"
    folder = tmp_path / attempt_path("job_1", 1)
    assert [path.name for path in folder.iterdir()] == ["spec.json"]


def test_a_killed_agent_leaves_no_process(
    control_plane: FakeControlPlane, start_worker: StartWorker
) -> None:
    worker = start_worker(ranks="refuses")
    held = control_plane.offer(a_claim())
    _tree_of_a_stubborn_attempt(worker, control_plane, held)
    tree = worker.tree()
    worker.process.send_signal(signal.SIGKILL)
    worker.process.wait()
    eventually(lambda: all_ended(tree), SOON_SECONDS)


@pytest.mark.parametrize(
    ("victim", "message"),
    [
        ("rank-0", "rank 0 was killed (signal 9)"),
        ("supervisor", "supervisor"),
        ("warm", "warm process"),
    ],
)
def test_a_killed_process_of_an_attempt_fails_it_and_the_next_attempt_runs(
    control_plane: FakeControlPlane, start_worker: StartWorker, victim: str, message: str
) -> None:
    worker = start_worker(ranks="refuses")
    held = control_plane.offer(a_claim(lease=QUICK))
    tree = _tree_of_a_stubborn_attempt(worker, control_plane, held)
    worker.titled(victim).kill()
    report = control_plane.report_of(held)
    assert all_ended(tree)
    assert (report.outcome, report.reason) == ("failed", "crashed")
    assert message in report.message
    following = control_plane.offer(a_claim(attempt=2))
    control_plane.wait_for(lambda: "started" in following.kinds())


def test_when_one_rank_of_two_is_killed_the_other_is_too(
    control_plane: FakeControlPlane, start_worker: StartWorker, driver: FakeDriver
) -> None:
    start_worker(ranks="second_is_killed", **driver.variables)
    report = control_plane.report_of(control_plane.offer(a_claim(gpus=2)))
    assert (report.outcome, report.reason) == ("failed", "crashed")
    assert "rank 1 was killed (signal 9)" in report.message
