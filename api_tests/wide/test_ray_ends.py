"""Every way in which an attempt over two nodes of a Ray cluster ends; nothing of it is left then.

`pytest -o junit_family=legacy --junitxml=ray.xml api_tests/wide/test_ray_ends.py` writes the
seconds from each fault to the end of the last process, and to the report of it, to ray.xml.
"""

import os
import signal
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from api_tests.support.claims import LONG
from api_tests.support.polling import eventually
from api_tests.support.ray_cluster import RayCluster, loopback_alone, missing_for_ray
from api_tests.support.wide_launches import (
    TRAINER,
    StartRayLauncher,
    WideAttempt,
    an_attempt,
    final_weights,
    options_for,
)
from api_tests.support.worker_process import all_ended, title_of
from service.contract.kernel import boot_clock
from workers.launcher.base import Availability
from workers.launcher.process_exit import ProcessExit
from workers.launcher.ray.launcher import RayLauncher

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("whole machine")]

HEAD_SECONDS = "10"
RecordEnd = Callable[[WideAttempt, list[psutil.Process]], ProcessExit]


@pytest.fixture
def record_end(record_property: Callable[[str, object], None]) -> RecordEnd:
    """Waits for the end of an attempt that has just met a fault, and records its seconds."""

    def wait(attempt: WideAttempt, processes: list[psutil.Process]) -> ProcessExit:
        began = boot_clock()
        eventually(lambda: all_ended(processes), 150)
        record_property("seconds_until_ended", round(boot_clock() - began, 1))
        exit_ = attempt.end()
        record_property("seconds_until_reported", round(boot_clock() - began, 1))
        return exit_

    return wait


def test_two_nodes_train_to_the_weights_of_two_ranks_on_one_host(
    start_ray_launcher: StartRayLauncher, tmp_path: Path
) -> None:
    launcher = start_ray_launcher(TRAINER)
    assert (launcher.hosts, launcher.host_gpus) == (2, 0)
    wide = an_attempt(launcher, tmp_path)
    exit_ = wide.end()
    assert [rank.status for rank in exit_.ranks] == [0, 0]
    assert wide.outcome() == "succeeded"
    narrow = an_attempt(launcher, tmp_path, hosts=1, ranks=2)
    narrow.end()
    assert final_weights(wide) == final_weights(narrow)


def test_a_training_that_is_terminated_saves_on_both_nodes_and_ends(
    start_ray_launcher: StartRayLauncher, tmp_path: Path, record_end: RecordEnd
) -> None:
    attempt = an_attempt(start_ray_launcher(TRAINER), tmp_path, **LONG)
    attempt.wait_for("progress")
    attempt.handle.terminate()
    record_end(attempt, attempt.processes())
    assert attempt.outcome() == "released"
    assert "checkpoint" in attempt.kinds()


def test_ranks_that_do_not_heed_are_killed_with_all_that_they_started(
    start_ray_launcher: StartRayLauncher, tmp_path: Path, record_end: RecordEnd
) -> None:
    attempt = an_attempt(start_ray_launcher("refuses"), tmp_path)
    attempt.wait_for("started")
    tree = [each for host in (0, 1) for each in _below(attempt.process(f"host-{host}"))]
    attempt.handle.kill()
    exit_ = record_end(attempt, tree)
    assert {os.waitstatus_to_exitcode(rank.status) for rank in exit_.ranks} == {-signal.SIGKILL}


def test_a_rank_that_is_killed_ends_the_attempt_on_both_nodes(
    start_ray_launcher: StartRayLauncher, tmp_path: Path, record_end: RecordEnd
) -> None:
    attempt = an_attempt(start_ray_launcher("hangs"), tmp_path)
    attempt.wait_for("started")
    processes = attempt.processes()
    attempt.process("rank-1").kill()
    exit_ = record_end(attempt, processes)
    assert exit_.describe == "rank 1 was killed (signal 9)"
    assert exit_.lost_hosts == ()


def _kill_host_process(attempt: WideAttempt) -> None:
    attempt.process("host-1").kill()


def _kill_actor(attempt: WideAttempt) -> None:
    actor = attempt.process("host-1").parent()
    assert actor is not None
    actor.kill()


@pytest.mark.parametrize("kill", [_kill_host_process, _kill_actor])
def test_a_host_whose_process_or_actor_is_killed_is_lost_at_once_and_the_rest_ends(
    start_ray_launcher: StartRayLauncher,
    tmp_path: Path,
    record_end: RecordEnd,
    kill: Callable[[WideAttempt], None],
) -> None:
    attempt = an_attempt(start_ray_launcher("hangs"), tmp_path, lease_seconds=600.0)
    attempt.wait_for("started")
    processes = attempt.processes()
    kill(attempt)
    exit_ = record_end(attempt, processes)
    assert exit_.lost_hosts == ("nb",)
    assert exit_.problem.startswith("host nb was lost")


def test_a_killed_driver_loses_the_hosts_and_leaves_nothing(
    start_ray_launcher: StartRayLauncher, tmp_path: Path, record_end: RecordEnd
) -> None:
    attempt = an_attempt(start_ray_launcher("hangs"), tmp_path, lease_seconds=600.0)
    attempt.wait_for("started")
    processes = attempt.processes()
    (driver,) = _drivers("hosts")
    driver.kill()
    exit_ = record_end(attempt, processes)
    assert exit_.lost_hosts == ("na", "nb")


def test_ranks_whose_agent_renews_nothing_are_killed_at_the_deadline(
    start_ray_launcher: StartRayLauncher, tmp_path: Path
) -> None:
    attempt = an_attempt(start_ray_launcher("hangs"), tmp_path)
    attempt.wait_for("started")
    processes = attempt.processes()
    deadline = attempt.set_deadline(5.0)
    assert attempt.end().overdue
    assert all_ended(processes)
    assert boot_clock() < deadline + 10.0


def test_ranks_are_killed_at_the_deadline_by_their_own_host_where_nothing_reaches_it(
    start_ray_launcher: StartRayLauncher, tmp_path: Path
) -> None:
    attempt = an_attempt(start_ray_launcher("hangs"), tmp_path, lease_seconds=30.0)
    deadline = boot_clock() + 30.0
    attempt.wait_for("started")
    ranks = [attempt.process(f"rank-{number}") for number in (0, 1)]
    actors = [attempt.process(f"host-{number}").parent() for number in (0, 1)]
    stopped = [*_drivers("hosts"), *(actor for actor in actors if actor is not None)]
    for process in stopped:
        process.suspend()
    try:
        eventually(lambda: all_ended(ranks))
        assert deadline - 1.0 < boot_clock() < deadline + 10.0
    finally:
        for process in stopped:
            process.resume()
    attempt.end()


def test_attempts_run_beside_each_other_on_hosts_of_their_own(
    start_ray_launcher: StartRayLauncher, tmp_path: Path
) -> None:
    launcher = start_ray_launcher("waits_for_a_file")
    attempts = [an_attempt(launcher, tmp_path, hosts=1) for _ in range(2)]
    for attempt in attempts:
        attempt.wait_for("started")
    # Each raylet is the parent of the actors on its node.
    nodes = {attempt.process("host-0").parents()[1].pid for attempt in attempts}
    assert len(nodes) == len(attempts)
    for attempt in attempts:
        (attempt.folder.folder / "go").touch()
        assert [rank.status for rank in attempt.end().ranks] == [0]


def test_a_node_that_is_lost_is_waited_for_until_the_lease_is_over_and_is_offered_again_when_back(
    start_ray_launcher: StartRayLauncher, ray: RayCluster, tmp_path: Path, record_end: RecordEnd
) -> None:
    launcher = start_ray_launcher("hangs")
    attempt = an_attempt(launcher, tmp_path)
    attempt.wait_for("started")
    processes = attempt.processes()
    deadline = attempt.set_deadline(20.0)
    ray.kill_node("nb")
    try:
        exit_ = record_end(attempt, processes)
        assert exit_.lost_hosts == ("nb",)
        assert boot_clock() >= deadline
        eventually(lambda: launcher.hosts == 1)
    finally:
        ray.add_node("nb")
    eventually(lambda: launcher.hosts == 2)


def test_a_lost_head_ends_everything_and_nothing_is_claimed_while_it_is_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, record_end: RecordEnd
) -> None:
    if missing := missing_for_ray():
        pytest.skip(missing)
    with loopback_alone():
        # By itself Ray waits for 60 s, and the test would wait for a longer lease.
        cluster = RayCluster(RAY_gcs_rpc_server_reconnect_timeout_s=HEAD_SECONDS)
        for name, text in cluster.variables.items():
            monkeypatch.setenv(name, text)
        try:
            launcher = RayLauncher(options_for("hangs", cluster.address))
            assert launcher.availability() is Availability.OPEN
            attempt = an_attempt(launcher, tmp_path)
            attempt.wait_for("started")
            processes = attempt.processes()
            deadline = attempt.set_deadline(25.0)
            cluster.kill_head()
            exit_ = record_end(attempt, processes)
            assert launcher.availability() is Availability.CLOSING
            assert exit_.lost_hosts == ("na", "nb")
            assert boot_clock() >= deadline
            launcher.close()
        finally:
            cluster.close()


def _drivers(what: str) -> list[psutil.Process]:
    own = psutil.Process().children(recursive=True)
    return [each for each in own if f"workers.launcher.ray.driver {what} " in title_of(each)]


def _below(process: psutil.Process) -> list[psutil.Process]:
    return [process, *process.children(recursive=True)]
