"""Whatever dies of a training over two hosts: what its job says, and that nothing is left.

One training goes on from death to death; `-s` shows after how many seconds, of leases of 28 s.
"""

import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from api_tests.support.deaths import LEASES, ON_TWO_HOSTS, DisturbedTraining
from api_tests.support.disturbed_yard import DisturbedYard
from api_tests.support.installation import Installation, kill
from api_tests.support.namespaces import TwoHosts, missing_for_namespaces
from api_tests.support.polling import eventually
from api_tests.support.worker_process import title_of

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("whole machine")]


class TwoHostYard(DisturbedYard):
    """Each of its workers stands for both hosts."""

    def __init__(self, folder: Path) -> None:
        self.hosts = TwoHosts()
        named = ",".join(f"{host.name}={host.address}" for host in self.hosts.hosts)
        installation = Installation(folder, LAUNCHER="namespaces", TEST_HOSTS=named, **LEASES)
        super().__init__(installation, ON_TWO_HOSTS, "api_tests.support.namespace_worker")

    def close(self) -> None:
        """End everything; nothing may be left on a host."""
        try:
            self.installation.close()
            eventually(lambda: not any(self.hosts.pids(number) for number in (0, 1)))
        finally:
            self.hosts.close()

    def host_of(self, process: psutil.Process) -> int:
        """The number of the host that a process runs on: an attempt may have them in any order."""
        return next(number for number in (0, 1) if process.pid in self.hosts.pids(number))


def engines_of(worker: "subprocess.Popen[bytes]") -> list[psutil.Process]:
    """The engine's own processes below an agent."""
    children = psutil.Process(worker.pid).children()
    return [each for each in children if "api_tests.support.namespace_step" in title_of(each)]


@pytest.fixture(scope="module")
def yard(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TwoHostYard]:
    if missing := missing_for_namespaces():
        pytest.skip(missing)
    yard = TwoHostYard(tmp_path_factory.mktemp("two-hosts"))
    yield yard
    yard.close()


@pytest.fixture
def training(yard: TwoHostYard) -> DisturbedTraining:
    return yard.training()


def test_a_killed_rank_ends_both_hosts_and_is_charged(training: DisturbedTraining) -> None:
    after = training.after("rank killed", training.process("rank-1").kill)
    assert (after.reason, after.is_charged) == ("crashed", True)
    assert after.message.startswith("rank 1 was killed (signal 9)")


def test_a_stopped_rank_is_named_and_killed(training: DisturbedTraining) -> None:
    after = training.after("rank stopped", training.process("rank-1").suspend)
    assert (after.reason, after.is_charged) == ("stalled", True)
    assert after.message.endswith("rank 1 was silent, and was killed")


def test_a_killed_supervisor_ends_both_hosts(training: DisturbedTraining) -> None:
    after = training.after("supervisor killed", training.process("supervisor").kill)
    assert (after.reason, after.is_charged) == ("crashed", True)
    assert after.message.startswith("the supervisor ended with wait status 9")


def test_a_killed_host_process_costs_no_failure_and_leaves_no_rank(
    yard: TwoHostYard, training: DisturbedTraining
) -> None:
    process = training.process("host-1")
    name = yard.hosts.hosts[yard.host_of(process)].name
    after = training.after("host process killed", process.kill)
    assert (after.reason, after.is_charged) == ("worker_lost", False)
    assert after.message.startswith(f"host {name} was lost")


@pytest.mark.parametrize("number", [0, 1])
def test_a_host_of_which_everything_is_killed_costs_no_failure(
    yard: TwoHostYard, training: DisturbedTraining, number: int
) -> None:
    host = yard.host_of(training.process(f"rank-{number}"))
    after = training.after(f"host of rank {number} killed", lambda: yard.hosts.kill(host))
    assert (after.reason, after.is_charged) == ("worker_lost", False)
    assert after.message.startswith(f"host {yard.hosts.hosts[host].name} was lost")


def test_a_killed_engine_costs_no_failure(training: DisturbedTraining) -> None:
    (engine,) = engines_of(training.worker)
    after = training.after("engine killed", engine.kill)
    assert (after.reason, after.is_charged) == ("worker_lost", False)


def test_the_control_plane_is_killed_and_started_again_and_the_training_goes_on(
    yard: TwoHostYard, training: DisturbedTraining
) -> None:
    kill(yard.installation.server)
    yard.installation.start_server()
    assert training.goes_on()


def test_a_drained_agent_saves_and_another_goes_on(
    yard: TwoHostYard, training: DisturbedTraining
) -> None:
    yard.start_worker()
    after = training.after("agent drained", lambda: training.worker.send_signal(signal.SIGTERM))
    assert (after.reason, after.is_charged, after.worker_losses) == ("released", False, 0)
    assert "with a checkpoint" in after.message


def test_the_ranks_of_a_killed_agent_end_by_themselves_and_another_goes_on(
    yard: TwoHostYard, training: DisturbedTraining
) -> None:
    yard.start_worker()
    after = training.after("agent killed", lambda: kill(training.worker))
    assert (after.reason, after.is_charged) == ("worker_lost", False)
    assert after.message.startswith("its worker sent nothing for")


def test_the_ranks_of_a_stopped_agent_end_before_another_goes_on(
    yard: TwoHostYard, training: DisturbedTraining
) -> None:
    yard.start_worker()
    agent = psutil.Process(training.worker.pid)
    try:
        # They wait a while for the agent's receipt, without a rank.
        idle = [*engines_of(training.worker), *map(training.process, ("host-0", "host-1"))]
        after = training.after("agent stopped", agent.suspend, idle)
    finally:
        agent.kill()
        training.worker.wait()
    assert (after.reason, after.is_charged) == ("worker_lost", False)
