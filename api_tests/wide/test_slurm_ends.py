"""Every way in which an attempt over two nodes of a Slurm ends; nothing of it is left then."""

import os
import signal
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from api_tests.support.claims import LONG
from api_tests.support.polling import eventually
from api_tests.support.slurm import SlurmCluster
from api_tests.support.wide_launches import (
    TRAINER,
    StartLauncher,
    WideAttempt,
    an_attempt,
    final_weights,
)
from api_tests.support.worker_process import all_ended, title_of
from service.contract.kernel import boot_clock
from workers.launcher.base import Availability, CannotLaunch

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("whole machine")]


def test_two_nodes_train_to_the_weights_of_two_ranks_on_one_host(
    start_launcher: StartLauncher, tmp_path: Path
) -> None:
    launcher = start_launcher(TRAINER)
    wide = an_attempt(launcher, tmp_path)
    exit_ = wide.end()
    assert [rank.status for rank in exit_.ranks] == [0, 0]
    assert wide.outcome() == "succeeded"
    narrow = an_attempt(launcher, tmp_path, hosts=1, ranks=2)
    narrow.end()
    assert final_weights(wide) == final_weights(narrow)


def test_a_training_that_is_terminated_saves_on_both_nodes_and_ends(
    start_launcher: StartLauncher, tmp_path: Path
) -> None:
    attempt = an_attempt(start_launcher(TRAINER), tmp_path, **LONG)
    attempt.wait_for("progress")
    attempt.handle.terminate()
    attempt.end()
    assert attempt.outcome() == "released"
    assert "checkpoint" in attempt.kinds()


def test_a_cancelled_job_of_slurm_saves_and_tells_the_agent_to_drain(
    slurm: SlurmCluster, start_launcher: StartLauncher, tmp_path: Path
) -> None:
    launcher = start_launcher(TRAINER)
    attempt = an_attempt(launcher, tmp_path, **LONG)
    attempt.wait_for("progress")
    assert launcher.availability() is Availability.OPEN
    slurm.run("scancel", os.environ["SLURM_JOB_ID"])
    attempt.end()
    assert attempt.outcome() == "released"
    assert "checkpoint" in attempt.kinds()
    assert launcher.availability() is Availability.ENDING


def test_a_rank_that_is_killed_ends_the_attempt_on_both_nodes(
    start_launcher: StartLauncher, tmp_path: Path
) -> None:
    attempt = an_attempt(start_launcher("hangs"), tmp_path)
    attempt.wait_for("started")
    processes = attempt.processes()
    attempt.process("rank-1").kill()
    exit_ = attempt.end()
    assert exit_.describe == "rank 1 was killed (signal 9)"
    assert exit_.lost_hosts == ()
    assert all_ended(processes)


def _kill_host_process(attempt: WideAttempt, _: SlurmCluster) -> None:
    attempt.process("host-1").kill()


def _kill_node(attempt: WideAttempt, slurm: SlurmCluster) -> None:
    step_daemon = attempt.process("host-1").parent()
    assert step_daemon is not None
    below = step_daemon.children(recursive=True)
    slurm.daemon("nb").kill()
    for process in (step_daemon, *below):
        process.kill()


@pytest.mark.parametrize("kill", [_kill_host_process, _kill_node])
def test_a_host_that_is_lost_is_named_and_the_rest_ends(
    slurm: SlurmCluster,
    start_launcher: StartLauncher,
    tmp_path: Path,
    kill: Callable[[WideAttempt, SlurmCluster], None],
) -> None:
    attempt = an_attempt(start_launcher("hangs"), tmp_path, lease_seconds=20.0)
    attempt.wait_for("started")
    processes = attempt.processes()
    kill(attempt, slurm)
    try:
        exit_ = attempt.end()
        assert exit_.lost_hosts == ("nb",)
        assert exit_.problem.startswith("host nb was lost")
        assert all_ended(processes)
    finally:
        if slurm.daemon("nb").poll() is not None:
            slurm.start_daemon("nb")


def test_a_killed_srun_loses_the_hosts_and_leaves_nothing(
    start_launcher: StartLauncher, tmp_path: Path
) -> None:
    attempt = an_attempt(start_launcher("hangs"), tmp_path)
    attempt.wait_for("started")
    processes = attempt.processes()
    for process in _sruns():
        process.kill()
    exit_ = attempt.end()
    assert exit_.lost_hosts == ("na", "nb")
    assert all_ended(processes)


def test_ranks_whose_agent_renews_nothing_are_killed_at_the_deadline(
    start_launcher: StartLauncher, tmp_path: Path
) -> None:
    attempt = an_attempt(start_launcher("hangs"), tmp_path, lease_seconds=10.0)
    attempt.wait_for("started")
    processes, deadline = attempt.processes(), boot_clock() + 10.0
    assert attempt.end().overdue
    assert all_ended(processes)
    assert boot_clock() < deadline + 5.0


def test_ranks_that_do_not_heed_are_killed_with_all_that_they_started(
    start_launcher: StartLauncher, tmp_path: Path
) -> None:
    attempt = an_attempt(start_launcher("refuses"), tmp_path)
    attempt.wait_for("started")
    tree = [each for host in (0, 1) for each in _below(attempt.process(f"host-{host}"))]
    attempt.handle.kill()
    exit_ = attempt.end()
    assert {os.waitstatus_to_exitcode(rank.status) for rank in exit_.ranks} == {-signal.SIGKILL}
    assert all_ended(tree)


def test_a_training_goes_on_while_slurms_controller_is_away(
    slurm: SlurmCluster, start_launcher: StartLauncher, tmp_path: Path
) -> None:
    attempt = an_attempt(start_launcher("waits_for_a_file"), tmp_path)
    attempt.wait_for("started")
    slurm.daemon("slurmctld").kill()
    slurm.daemon("slurmctld").wait()
    try:
        (attempt.folder.folder / "go").touch()
        exit_ = attempt.end()
    finally:
        slurm.start_daemon("slurmctld")
        eventually(lambda: slurm.node_states() != [])
    assert [rank.status for rank in exit_.ranks] == [0, 0]


def test_attempts_run_beside_each_other_on_hosts_of_their_own(
    start_launcher: StartLauncher, tmp_path: Path
) -> None:
    launcher = start_launcher("waits_for_a_file")
    attempts = [an_attempt(launcher, tmp_path, hosts=1) for _ in range(2)]
    for attempt in attempts:
        attempt.wait_for("started")
    nodes = {attempt.process("host-0").environ()["SLURMD_NODENAME"] for attempt in attempts}
    assert nodes == {"na", "nb"}
    for attempt in attempts:
        (attempt.folder.folder / "go").touch()
        assert [rank.status for rank in attempt.end().ranks] == [0]


@pytest.mark.parametrize(
    ("minutes", "expected"),
    [("30", Availability.OPEN), ("4", Availability.CLOSING)],
)
def test_the_time_limit_of_the_allocation_says_whether_attempts_may_start(
    start_launcher: StartLauncher, minutes: str, expected: Availability
) -> None:
    assert start_launcher("hangs", f"--time={minutes}").availability() is expected


def test_an_allocation_that_ends_at_once_is_refused(start_launcher: StartLauncher) -> None:
    with pytest.raises(CannotLaunch, match="ask for more with --time"):
        start_launcher("hangs", "--time=1")


def _sruns() -> list[psutil.Process]:
    own = psutil.Process().children(recursive=True)
    return [each for each in own if title_of(each).startswith("srun ")]


def _below(process: psutil.Process) -> list[psutil.Process]:
    return [process, *process.children(recursive=True)]
