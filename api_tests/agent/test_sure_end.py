"""However a training ends, two seconds later nothing of it lives: ranks, loaders, grandchildren."""

import os
import signal
from collections.abc import Callable

import pytest

from api_tests.support.claims import a_claim
from api_tests.support.fake_attempt import FakeAttempt
from api_tests.support.fake_control_plane import FakeControlPlane
from api_tests.support.gpu_driver import FakeDriver
from api_tests.support.polling import eventually
from api_tests.support.worker_process import StartWorker, Worker, all_ended, title_of

SOON_SECONDS = 2.0
RANKS = 2
LOADERS = 2
ENDLESS = {
    "total_iters": 100_000,
    "save_interval": 100_000,
    "val_interval": 100_000,
    "data_workers": LOADERS,
}


def _cancel(_: Worker, held: FakeAttempt) -> None:
    held.directive = "stop"


def _kill_the_agent(worker: Worker, _: FakeAttempt) -> None:
    worker.process.send_signal(signal.SIGKILL)


def _kill(title: str) -> Callable[[Worker, FakeAttempt], None]:
    return lambda worker, _: worker.titled(title).kill()


def _kill_a_rank(worker: Worker, _: FakeAttempt) -> None:
    worker.rank(1).kill()


def _stop_the_ranks_and_kill_the_agent(worker: Worker, _: FakeAttempt) -> None:
    for rank in range(RANKS):
        worker.rank(rank).suspend()
    worker.process.send_signal(signal.SIGKILL)


ENDS = [
    _cancel,
    _kill_the_agent,
    _kill("supervisor"),
    _kill("warm"),
    _kill_a_rank,
    _stop_the_ranks_and_kill_the_agent,
]
NAMES = [
    "a cancel",
    "a killed agent",
    "a killed supervisor",
    "a killed warm process",
    "a killed rank",
    "stopped ranks and a killed agent",
]


@pytest.mark.parametrize("end", ENDS, ids=NAMES)
def test_nothing_of_a_training_outlives_its_end_by_two_seconds(
    control_plane: FakeControlPlane,
    start_worker: StartWorker,
    driver: FakeDriver,
    end: Callable[[Worker, FakeAttempt], None],
) -> None:
    worker = start_worker(ranks="torch_ranks:trains_with_grandchildren", **driver.variables)
    held = control_plane.offer(
        a_claim(gpus=RANKS, params=ENDLESS, lease={"heartbeat_seconds": 0.2})
    )
    control_plane.wait_for(lambda: "progress" in held.kinds())
    # These two are the worker's own.
    others = worker.titled("warm"), worker.titled("gpu-use")
    tree = [each for each in worker.tree() if each not in others]
    sleepers = [each for each in tree if title_of(each).startswith("sleep")]
    assert len({os.getsid(each.pid) for each in sleepers}) == 2 * RANKS
    assert len(tree) == len(["supervisor"]) + RANKS * (1 + LOADERS) + len(sleepers)
    end(worker, held)
    eventually(lambda: all_ended(tree), SOON_SECONDS)
