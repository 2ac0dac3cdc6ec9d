"""A worker that was killed is reported by the next one beside it."""

import os
import platform
import signal
import subprocess
import sys

from psutil import STATUS_ZOMBIE, Process

from api_tests.support.claims import a_claim
from api_tests.support.fake_control_plane import FakeControlPlane
from api_tests.support.polling import eventually
from api_tests.support.worker_process import StartWorker
from service.contract.registration import Gone, Predecessor, ProcessIdentity
from workers.agent.identity import own_identity
from workers.agent.predecessors import report_ended_predecessors
from workers.launcher.local.launcher import WORKER_ID
from workers.process_marks import processes_with

EXIT_OF_A_THREAD = {"x86_64": 60, "aarch64": 93}
"""The number of the system call `exit`, which ends one thread."""


def test_a_worker_tells_of_a_killed_one_and_not_of_a_living_one(
    control_plane: FakeControlPlane, start_worker: StartWorker
) -> None:
    killed, living = start_worker(ranks="refuses"), start_worker(ranks="refuses")
    control_plane.wait_for(lambda: len(control_plane.registered) == 2)
    held = control_plane.offer(a_claim())
    control_plane.wait_for(lambda: "started" in held.kinds())
    killed.process.send_signal(signal.SIGKILL)
    killed.process.wait()
    control_plane.neighbours = tuple(
        Predecessor(worker_id=worker_id, process=registration.process)
        for worker_id, registration in control_plane.registered
    )
    start_worker(ranks="refuses")
    control_plane.wait_for(lambda: control_plane.gone)
    pids = {worker_id: sent.process.pid for worker_id, sent in control_plane.registered}
    assert [pids[worker_id] for worker_id in control_plane.gone] == [killed.process.pid]
    assert living.process.poll() is None


def test_every_process_of_a_worker_is_known_by_its_id(
    control_plane: FakeControlPlane, start_worker: StartWorker
) -> None:
    worker = start_worker(ranks="refuses")
    held = control_plane.offer(a_claim())
    control_plane.wait_for(lambda: "started" in held.kinds())
    worker_id, _ = control_plane.registered[0]
    assert {process.pid for process in worker.tree()} == set(processes_with(WORKER_ID, worker_id))


class GoneReports:
    """Stands for the control plane: keeps the ids of the workers reported as gone."""

    def __init__(self) -> None:
        self.gone_ids: list[str] = []

    def report_gone(self, worker_id: str, _: Gone) -> None:
        self.gone_ids.append(worker_id)


def _reported_of(process: ProcessIdentity, *worker_ids: str) -> list[str]:
    reports = GoneReports()
    neighbours = [Predecessor(worker_id=worker_id, process=process) for worker_id in worker_ids]
    report_ended_predecessors(neighbours, reports, timeout_seconds=0.2)
    return reports.gone_ids


def _earlier(own: ProcessIdentity) -> ProcessIdentity:
    """A process that had this one's id before it."""
    return own.model_copy(update={"started_ticks": own.started_ticks - 1})


def test_a_dead_worker_with_a_process_left_is_not_reported_of() -> None:
    with subprocess.Popen(["sleep", "600"], env=os.environ | {WORKER_ID: "wrk_left"}) as left:
        try:
            gone = _reported_of(_earlier(own_identity()), "wrk_left", "wrk_alone")
        finally:
            left.kill()
    assert gone == ["wrk_alone"]


_ENDING = """
import ctypes, threading, time
threading.Thread(target=time.sleep, args=[600], daemon=True).start()
print("begun", flush=True)
ctypes.CDLL(None).syscall({number}, 0)
"""
"""Ends the first thread alone: the process has no environment any more, and holds what it held."""


def test_a_dead_worker_with_a_process_that_is_still_ending_is_not_reported_of() -> None:
    code = _ENDING.format(number=EXIT_OF_A_THREAD[platform.machine()])
    environment = os.environ | {WORKER_ID: "wrk_ending"}
    command = [sys.executable, "-c", code]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE) as ending:
        assert ending.stdout is not None
        ending.stdout.readline()
        try:
            eventually(lambda: Process(ending.pid).status() == STATUS_ZOMBIE)
            gone = _reported_of(_earlier(own_identity()), "wrk_ending")
        finally:
            ending.kill()
    assert gone == []
    assert _reported_of(_earlier(own_identity()), "wrk_ending") == ["wrk_ending"]


def test_a_living_worker_and_one_of_another_kernel_are_not_reported_of() -> None:
    own = own_identity()
    assert _reported_of(own, "wrk_living") == []
    assert (
        _reported_of(_earlier(own).model_copy(update={"boot_id": "another"}), "wrk_elsewhere") == []
    )
    assert _reported_of(_earlier(own), "wrk_dead") == ["wrk_dead"]


def test_a_worker_that_nobody_has_reaped_yet_has_ended() -> None:
    with subprocess.Popen(["sleep", "600"]) as child:
        process = _identity_of(child.pid)
        assert _reported_of(process, "wrk_child") == []
        child.kill()
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
        assert _reported_of(process, "wrk_child") == ["wrk_child"]


def _identity_of(pid: int) -> ProcessIdentity:
    with open(f"/proc/{pid}/stat") as stat:
        started_ticks = int(stat.read().rpartition(")")[2].split()[19])
    return own_identity().model_copy(update={"pid": pid, "started_ticks": started_ticks})
