"""The whole way with real ranks on the digits."""

import os
import signal
from pathlib import Path

import pytest

from api_tests.support.claims import LONG, a_claim
from api_tests.support.fake_attempt import FakeAttempt
from api_tests.support.fake_control_plane import FakeControlPlane
from api_tests.support.gpu_driver import FakeDriver
from api_tests.support.worker_process import StartWorker, Worker
from workers.checkpoints.folder import verify

CORES = len(os.sched_getaffinity(0))


def _is_whole(path: Path) -> bool:
    return verify(path) == []


def test_a_claim_is_run_to_its_end_and_every_event_is_heard_once_and_in_order(
    control_plane: FakeControlPlane, start_worker: StartWorker, tmp_path: Path
) -> None:
    start_worker()
    held = control_plane.offer(a_claim())
    report = control_plane.report_of(held)
    assert (report.outcome, report.reason) == ("succeeded", "finished")
    assert report.result is not None
    assert [event.seq for event in held.events] == list(range(1, len(held.events) + 1))
    assert (held.kinds()[0], held.kinds()[-1]) == ("started", "ended")
    assert "metrics" in held.kinds()
    paths = [event.body["path"] for event in held.events if event.kind == "checkpoint"]
    assert Path(paths[-1]).name == "final-000000016"
    assert all(_is_whole(tmp_path / path) for path in paths)


@pytest.mark.parametrize("how", ["directive", "drain"])
def test_a_running_attempt_that_is_asked_to_stop_saves_and_is_given_back(
    control_plane: FakeControlPlane, start_worker: StartWorker, tmp_path: Path, how: str
) -> None:
    worker = start_worker()
    held = control_plane.offer(a_claim(params=LONG))
    control_plane.wait_for(lambda: "progress" in held.kinds())
    _ask(how, held, worker)
    report = control_plane.report_of(held)
    assert (report.outcome, report.reason) == ("released", "released")
    (saved,) = [event.body["path"] for event in held.events if event.kind == "checkpoint"]
    assert _is_whole(tmp_path / saved)


def _ask(how: str, held: FakeAttempt, worker: Worker) -> None:
    if how == "directive":
        held.directive = "checkpoint_and_stop"
    else:
        worker.process.send_signal(signal.SIGTERM)


def test_two_ranks_train_one_job(
    control_plane: FakeControlPlane, start_worker: StartWorker, driver: FakeDriver, tmp_path: Path
) -> None:
    start_worker(ranks="torch_ranks:trains_on_the_cpu", **driver.variables)
    held = control_plane.offer(a_claim(gpus=2))
    report = control_plane.report_of(held)
    assert report.outcome == "succeeded", report.message
    (final,) = tmp_path.glob("jobs/*/attempts/*/final-*")
    assert {path.name for path in final.parent.glob("step-000000012/rank-*")} == {
        "rank-0.json",
        "rank-1.json",
    }


def test_two_ranks_train_on_the_cpu_where_a_job_asks_for_them(
    control_plane: FakeControlPlane, start_worker: StartWorker, tmp_path: Path
) -> None:
    start_worker()
    held = control_plane.offer(a_claim(ranks=2))
    report = control_plane.report_of(held)
    assert report.outcome == "succeeded", report.message
    assert len(list(tmp_path.glob("jobs/*/attempts/*/step-000000012/rank-*.json"))) == 2


def test_the_warm_process_has_one_thread_and_the_agent_never_sees_torch(
    control_plane: FakeControlPlane, start_worker: StartWorker
) -> None:
    worker = start_worker(OMP_NUM_THREADS=None)
    warm = worker.titled("warm")
    assert _maps_torch(warm.pid)
    # Before its first fork: that one would end the threads of OpenBLAS.
    assert warm.num_threads() == 1
    held = control_plane.offer(a_claim(params=LONG))
    control_plane.wait_for(lambda: "started" in held.kinds())
    assert warm.num_threads() == 1
    assert not _maps_torch(worker.process.pid)


@pytest.mark.parametrize(("variable", "slots"), [(None, CORES), ("1", 1)])
def test_the_cores_are_shared_by_the_slots_unless_omp_num_threads_says_otherwise(
    control_plane: FakeControlPlane, start_worker: StartWorker, variable: str | None, slots: int
) -> None:
    ranks = "torch_ranks:tells_threads"
    start_worker("--slots", str(slots), ranks=ranks, OMP_NUM_THREADS=variable)
    held = control_plane.offer(a_claim())
    control_plane.report_of(held)
    assert held.events[0].body == {"message": "1"}


def _maps_torch(pid: int) -> bool:
    return "libtorch" in Path(f"/proc/{pid}/maps").read_text()
