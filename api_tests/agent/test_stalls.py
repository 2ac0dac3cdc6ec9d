"""Attempts that make no progress any more, and those that only seem so."""

from pathlib import Path

import pytest

from api_tests.support.claims import a_claim
from api_tests.support.fake_control_plane import FakeControlPlane
from api_tests.support.gpu_driver import FakeDriver
from api_tests.support.worker_process import StartWorker, all_ended
from service.contract.agent import Lease
from workers.agent.watchdog import Watchdog

QUICK = {"heartbeat_seconds": 0.2, "stall_seconds": 1.0}
BEATS_OF_THREE_STALLS = 15


def test_ranks_that_hang_leave_their_stacks_in_the_log_and_fail_as_stalled(
    control_plane: FakeControlPlane, start_worker: StartWorker, driver: FakeDriver, tmp_path: Path
) -> None:
    worker = start_worker(ranks="hangs", **driver.variables)
    held = control_plane.offer(a_claim(gpus=2, lease=QUICK))
    control_plane.wait_for(lambda: "started" in held.kinds())
    tree = [worker.titled(name) for name in ("supervisor", "rank-0", "rank-1")]
    report = control_plane.report_of(held)
    assert (report.outcome, report.reason) == ("failed", "stalled")
    assert "no step, event or save for 1 s" in report.message
    assert all_ended(tree)
    log = (tmp_path / "jobs/job_1/attempts/1/log.txt").read_text()
    _, first, second = log.split("the stacks of rank ")
    assert (first[0], second[0]) == ("0", "1")
    assert "_waits_for_ever" in first
    assert "_waits_for_ever" in second


def test_a_first_rank_that_was_stopped_is_ended_as_stalled(
    control_plane: FakeControlPlane, start_worker: StartWorker, driver: FakeDriver
) -> None:
    worker = start_worker(ranks="hangs", **driver.variables)
    held = control_plane.offer(a_claim(gpus=2, lease=QUICK))
    control_plane.wait_for(lambda: "started" in held.kinds())
    tree = [worker.titled(name) for name in ("supervisor", "rank-0", "rank-1")]
    # It holds the others' store, so that they cannot even say that they wait for it.
    tree[1].suspend()
    report = control_plane.report_of(held)
    assert (report.outcome, report.reason) == ("failed", "stalled")
    assert all_ended(tree)


@pytest.mark.parametrize("ranks", ["pulses", "saves_slowly"])
def test_progress_that_is_no_event_keeps_an_attempt_alive(
    control_plane: FakeControlPlane, start_worker: StartWorker, tmp_path: Path, ranks: str
) -> None:
    start_worker(ranks=ranks)
    held = control_plane.offer(a_claim(lease=QUICK))
    control_plane.wait_for(lambda: "started" in held.kinds())
    until = held.beats + BEATS_OF_THREE_STALLS
    control_plane.wait_for(lambda: held.beats >= until or held.report)
    (tmp_path / "jobs/job_1/attempts/1/go").touch()
    assert control_plane.report_of(held).outcome == "succeeded"


class Looked:
    """A watchdog with a clock and a sign that the test sets."""

    def __init__(self) -> None:
        self.now, self.sign = 100.0, 0
        lease = Lease(
            heartbeat_seconds=10, self_end_seconds=240, kill_grace_seconds=30, stall_seconds=60
        )
        self.watchdog = Watchdog(lambda: self.sign, lease, lambda: self.now)

    def look_every(self, seconds: float, times: int) -> None:
        for _ in range(times):
            self.now += seconds
            self.watchdog.look()


def test_silence_counts_from_the_last_sign() -> None:
    looked = Looked()
    looked.watchdog.begin()
    looked.look_every(10, times=6)
    assert not looked.watchdog.has_stalled()
    looked.sign = 1
    looked.look_every(10, times=6)
    assert not looked.watchdog.has_stalled()
    looked.look_every(10, times=1)
    assert looked.watchdog.has_stalled()


def test_what_went_before_the_ranks_were_started_does_not_count() -> None:
    looked = Looked()
    looked.look_every(10, times=100)
    looked.watchdog.begin()
    looked.look_every(10, times=1)
    assert not looked.watchdog.has_stalled()


def test_a_night_in_which_the_machine_slept_is_no_stall() -> None:
    looked = Looked()
    looked.watchdog.begin()
    looked.look_every(10, times=2)
    looked.look_every(30_000, times=1)
    assert not looked.watchdog.has_stalled()
