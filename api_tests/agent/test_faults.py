"""Errors of the agent's own code: no thread dies in silence while its process goes on."""

import json
import threading
from pathlib import Path
from typing import Any

import pytest

from api_tests.support.claims import a_claim
from api_tests.support.fake_control_plane import FakeControlPlane
from api_tests.support.polling import DEADLINE_SECONDS, eventually
from api_tests.support.worker_process import StartWorker, Worker, all_ended
from service.contract.agent import Purge
from service.contract.loop import LOOP_FAILED_STATUS
from service.contract.process_title import process_title
from service.contract.registration import Predecessor
from service.volume.identity import SharedVolume
from workers.agent import purge
from workers.agent.identity import own_identity
from workers.agent.purge import Purger

QUICK = {"heartbeat_seconds": 0.2}


@pytest.mark.parametrize(
    ("loop", "method"),
    [
        ("claim", "workers.agent.client:ControlPlane.register"),
        ("claim", "workers.agent.client:ControlPlane.claim"),
        ("claim", "workers.agent.heartbeat:Heartbeats.start"),
        ("heartbeat", "workers.agent.client:ControlPlane.heartbeat"),
        ("heartbeat", "workers.agent.attempt:Attempt.take_reply"),
        ("volume-watcher", "workers.agent.spool:Spool.read"),
        ("volume-watcher", "workers.agent.watchdog:Watchdog.look"),
        ("warm-process", "workers.launcher.local.launcher:LocalLauncher._start_warm"),
    ],
)
def test_a_loop_whose_turn_raises_goes_on_and_its_worker_runs_the_job(
    control_plane: FakeControlPlane,
    start_worker: StartWorker,
    tmp_path: Path,
    loop: str,
    method: str,
) -> None:
    worker = start_worker(ranks="waits_for_a_file", fault=f"{method} 0 2")
    held = control_plane.offer(a_claim(lease=QUICK))
    control_plane.wait_for(lambda: "started" in held.kinds())
    eventually(lambda: len(logged(worker, "loop_turn_failed")) == 2)
    (tmp_path / "jobs/job_1/attempts/1/go").touch()
    assert control_plane.report_of(held).outcome == "succeeded"
    for line in logged(worker, "loop_turn_failed"):
        assert line["loop"] == loop
        assert "RuntimeError: a fault of the test" in line["exception"]
        assert "Traceback" in line["exception"]
    assert worker.process.poll() is None


def test_a_worker_that_cannot_beat_ends_with_its_ranks(
    control_plane: FakeControlPlane, start_worker: StartWorker
) -> None:
    method = "workers.agent.client:ControlPlane.heartbeat"
    worker = start_worker(ranks="refuses", fault=f"{method} 20 1000000")
    control_plane.offer(a_claim(lease=QUICK))
    worker.titled("rank-0:job_1")
    tree = worker.tree()
    assert worker.process.wait(DEADLINE_SECONDS) == LOOP_FAILED_STATUS
    assert logged(worker, "loop_ends_the_process")
    eventually(lambda: all_ended(tree))


@pytest.mark.parametrize(
    "method",
    [
        "workers.agent.process_tree:ProcessTree.start",
        "workers.agent.attempt:Attempt._result",
        "workers.launcher.local.handle:LocalHandle.wait",
    ],
)
def test_an_attempt_whose_thread_fails_is_reported_and_its_slot_is_free_again(
    control_plane: FakeControlPlane, start_worker: StartWorker, method: str
) -> None:
    worker = start_worker(ranks="succeeds", fault=f"{method} 0 1")
    report = control_plane.report_of(control_plane.offer(a_claim("job_1", lease=QUICK)))
    assert (report.outcome, report.reason) == ("failed", "crashed")
    assert "its agent failed: RuntimeError: a fault of the test" in report.message
    assert "Traceback" in logged(worker, "attempt_broken")[0]["exception"]
    assert (
        control_plane.report_of(control_plane.offer(a_claim("job_2", lease=QUICK))).outcome
        == "succeeded"
    )


def test_an_attempt_whose_thread_fails_leaves_no_rank(
    control_plane: FakeControlPlane, start_worker: StartWorker
) -> None:
    method = "workers.agent.attempt_stop:AttemptStop.keep_deadlines"
    worker = start_worker(ranks="refuses", fault=f"{method} 0 1")
    held = control_plane.offer(a_claim(lease=QUICK))
    assert control_plane.report_of(held).reason == "crashed"
    eventually(lambda: worker.titles() == [process_title("warm")])


def test_a_warm_process_that_its_thread_lost_fails_the_attempt_and_is_started_again(
    control_plane: FakeControlPlane, start_worker: StartWorker
) -> None:
    method = "workers.launcher.local.launcher:LocalLauncher._receive_ends"
    worker = start_worker(ranks="succeeds", fault=f"{method} 0 1")
    held = control_plane.offer(a_claim(lease=QUICK))
    report = control_plane.report_of(held)
    if report.outcome == "failed":
        assert "the warm process ended" in report.message
        held = control_plane.offer(a_claim("job_2", lease=QUICK))
        assert control_plane.report_of(held).outcome == "succeeded"
    assert [line["loop"] for line in logged(worker, "loop_turn_failed")] == ["warm-process"]


def test_a_purger_whose_turn_raises_purges_when_it_is_asked_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    purges = [Purge(checkpoint_id="ckpt_1", path="jobs/job_1/attempts/1/step-000000004")]
    calls: list[str] = []

    def faulty(name: str) -> int:
        calls.append(name)
        if len(calls) == 1:
            raise RuntimeError("a fault of the test")
        return 4

    monkeypatch.setattr(purge, "step_of", faulty)
    purger = Purger(SharedVolume(tmp_path), a_claim("job_1", 1))
    purger.request(purges)
    eventually(lambda: calls and not purger.is_busy())
    assert purger.take_purged() == ()
    purger.request(purges)
    eventually(lambda: not purger.is_busy())
    assert purger.take_purged() == ("ckpt_1",)
    purger.close()
    assert "purger" not in [thread.name for thread in threading.enumerate()]


def test_a_thread_that_is_no_loop_leaves_its_traceback_in_the_log(
    control_plane: FakeControlPlane, start_worker: StartWorker
) -> None:
    control_plane.neighbours = (Predecessor(worker_id="wrk_other", process=own_identity()),)
    worker = start_worker(ranks="succeeds", fault="workers.agent.predecessors:has_ended 0 1")
    worker.wait_for_log("thread_failed")
    assert "a fault of the test" in logged(worker, "thread_failed")[0]["exception"]
    assert control_plane.report_of(control_plane.offer(a_claim(lease=QUICK))).outcome == "succeeded"


def logged(worker: Worker, event: str) -> list[dict[str, Any]]:
    """What the worker has logged of an event."""
    lines = [json.loads(line) for line in worker.log().splitlines() if line.startswith("{")]
    return [line for line in lines if line["event"] == event]
