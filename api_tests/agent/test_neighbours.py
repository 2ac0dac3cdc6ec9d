"""A worker that was killed is told of by the next one beside it."""

import os
import signal
import subprocess
import threading

from api_tests.agent.claims import a_claim
from api_tests.agent.conftest import StartWorker
from api_tests.agent.plane import Plane
from service.contract.agent import Neighbour
from workers.agent.client import ControlPlane
from workers.agent.identity import own_identity
from workers.agent.neighbours import tell_of_the_dead
from workers.launcher.local import WORKER_ID


def test_a_worker_tells_of_a_killed_one_and_not_of_a_living_one(
    plane: Plane, start_worker: StartWorker
) -> None:
    killed, living = start_worker(ranks="refuses"), start_worker(ranks="refuses")
    plane.wait_for(lambda: len(plane.registered) == 2)
    held = plane.offer(a_claim())
    plane.wait_for(lambda: "started" in held.kinds())
    killed.process.send_signal(signal.SIGKILL)
    killed.process.wait()
    plane.neighbours = tuple(
        Neighbour(worker_id=worker_id, process=registration.process)
        for worker_id, registration in plane.registered
    )
    start_worker(ranks="refuses")
    plane.wait_for(lambda: plane.gone)
    pids = {worker_id: said.process.pid for worker_id, said in plane.registered}
    assert [pids[worker_id] for worker_id in plane.gone] == [killed.process.pid]
    assert living.process.poll() is None


def test_a_dead_worker_with_a_process_left_is_not_told_of(plane: Plane) -> None:
    with subprocess.Popen(["sleep", "600"], env=os.environ | {WORKER_ID: "wrk_left"}) as left:
        try:
            _tell(plane, "wrk_left", "wrk_alone")
        finally:
            left.kill()
    assert plane.gone == ["wrk_alone"]


def test_a_worker_of_another_boot_is_not_told_of(plane: Plane) -> None:
    _tell(plane, "wrk_elsewhere", boot_id="another")
    assert plane.gone == []


def _tell(plane: Plane, *worker_ids: str, boot_id: str | None = None) -> None:
    own = own_identity()
    changes = {"started_ticks": own.started_ticks - 1, "boot_id": boot_id or own.boot_id}
    dead = own.model_copy(update=changes)
    neighbours = [Neighbour(worker_id=worker_id, process=dead) for worker_id in worker_ids]
    control_plane = ControlPlane(plane.url, None, threading.Event())
    tell_of_the_dead(neighbours, control_plane, patience_seconds=0.2)
    control_plane.close()
