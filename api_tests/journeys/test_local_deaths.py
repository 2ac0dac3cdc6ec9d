"""Whatever dies of a training of two ranks on one host: what its job says, and after how long.

One training goes on from death to death; `-s` shows after how many seconds, of leases of 28 s.
"""

import signal
from collections.abc import Iterator

import psutil
import pytest

from api_tests.support.deaths import LEASES, ON_ONE_HOST, DisturbedTraining
from api_tests.support.disturbed_yard import DisturbedYard
from api_tests.support.installation import Installation, kill
from api_tests.support.worker_process import title_of
from service.contract.process_title import process_title

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("whole machine")]


@pytest.fixture(scope="module")
def yard(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DisturbedYard]:
    installation = Installation(tmp_path_factory.mktemp("local"), **LEASES)
    yield DisturbedYard(installation, ON_ONE_HOST, "workers")
    installation.close()


@pytest.fixture
def training(yard: DisturbedYard) -> DisturbedTraining:
    return yard.training()


def test_a_killed_rank_of_one_host_is_charged(training: DisturbedTraining) -> None:
    after = training.after("rank killed", training.process("rank-1").kill)
    assert (after.reason, after.is_charged) == ("crashed", True)
    assert after.message.startswith("rank 1 was killed (signal 9)")


def test_a_killed_supervisor_of_one_host_is_charged(training: DisturbedTraining) -> None:
    after = training.after("supervisor killed", training.process("supervisor").kill)
    assert (after.reason, after.is_charged) == ("crashed", True)
    assert after.message.startswith("the supervisor ended with wait status 9")


def test_a_killed_warm_process_is_started_again_for_the_next_attempt(
    training: DisturbedTraining,
) -> None:
    children = psutil.Process(training.worker.pid).children()
    (warm,) = [each for each in children if title_of(each) == process_title("warm")]
    after = training.after("warm process killed", warm.kill)
    assert (after.reason, after.is_charged) == ("crashed", True)


def test_the_control_plane_of_one_host_is_killed_and_started_again(
    yard: DisturbedYard, training: DisturbedTraining
) -> None:
    kill(yard.installation.server)
    yard.installation.start_server()
    assert training.goes_on()


def test_a_killed_agent_that_is_started_again_tells_of_its_end(
    yard: DisturbedYard, training: DisturbedTraining
) -> None:
    def restart() -> None:
        kill(training.worker)
        yard.start_worker()

    after = training.after("agent killed, and started again", restart)
    assert (after.reason, after.is_charged) == ("worker_lost", False)
    assert "as a worker beside it has seen" in after.message


def test_a_drained_agent_of_one_host_saves_and_another_goes_on(
    yard: DisturbedYard, training: DisturbedTraining
) -> None:
    yard.start_worker()
    after = training.after("agent drained", lambda: training.worker.send_signal(signal.SIGTERM))
    assert (after.reason, after.is_charged, after.worker_losses) == ("released", False, 0)


def test_the_ranks_of_a_killed_agent_of_one_host_end_and_another_goes_on(
    yard: DisturbedYard, training: DisturbedTraining
) -> None:
    yard.start_worker()
    after = training.after("agent killed", lambda: kill(training.worker))
    assert (after.reason, after.is_charged) == ("worker_lost", False)


def test_the_ranks_of_a_stopped_agent_of_one_host_end_before_another_goes_on(
    yard: DisturbedYard, training: DisturbedTraining
) -> None:
    yard.start_worker()
    agent = psutil.Process(training.worker.pid)
    try:
        after = training.after("agent stopped", agent.suspend)
    finally:
        agent.kill()
        training.worker.wait()
    assert (after.reason, after.is_charged) == ("worker_lost", False)
