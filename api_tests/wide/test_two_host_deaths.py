"""Whatever dies of a training over two hosts: what its job says, and that nothing is left.

One training goes on from death to death; `-s` shows after how many seconds, of leases of 13 s.
"""

import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from api_tests.support.deaths import ON_TWO_HOSTS, DisturbedTraining
from api_tests.support.installation import Installation, kill, until
from api_tests.support.namespaces import TwoHosts, missing_for_namespaces
from api_tests.support.worker_process import eventually

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("two-hosts"), pytest.mark.timeout(300)]


class Yard:
    """A control plane and workers, each of which stands for both hosts."""

    def __init__(self, folder: Path) -> None:
        self.hosts = TwoHosts()
        named = ",".join(f"{host.name}={host.address}" for host in self.hosts.hosts)
        self.installation = Installation(folder, LAUNCHER="namespaces", TEST_HOSTS=named)
        self._job_id: str | None = None
        self._workers: list[subprocess.Popen[bytes]] = []

    def training(self) -> DisturbedTraining:
        """The training over both hosts, which goes on from one death to the next."""
        client = self.installation.client
        if self._job_id is None or client.job(self._job_id).finished_at is not None:
            self._job_id = client.submit(ON_TWO_HOSTS).id
        if not any(worker.poll() is None for worker in self._workers):
            self.start_worker()
        job_id = self._job_id
        until(lambda: client.job(job_id).state == "running" or None)
        return DisturbedTraining(self.installation, job_id, self._agent())

    def start_worker(self) -> None:
        """One more; it is registered."""
        count = self._registrations()
        worker = self.installation.start_worker("api_tests.support.namespace_worker")
        until(lambda: self._registrations() > count)
        self._workers.append(worker)

    def close(self) -> None:
        """End everything; nothing may be left on a host."""
        try:
            self.installation.close()
            eventually(lambda: not any(self.hosts.pids(number) for number in (0, 1)))
        finally:
            self.hosts.close()

    def _agent(self) -> "subprocess.Popen[bytes]":
        """The worker that runs the training: the only one with children."""

        def busy() -> "subprocess.Popen[bytes] | None":
            living = [worker for worker in self._workers if worker.poll() is None]
            with_children = [each for each in living if psutil.Process(each.pid).children()]
            return with_children[0] if len(with_children) == 1 else None

        return until(busy)

    def _registrations(self) -> int:
        log = self.installation.folder / "worker.log"
        return log.read_text().count('"catalog_sent"') if log.exists() else 0


@pytest.fixture(scope="module")
def yard(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Yard]:
    if missing := missing_for_namespaces():
        pytest.skip(missing)
    yard = Yard(tmp_path_factory.mktemp("two-hosts"))
    yield yard
    yard.close()


@pytest.fixture
def training(yard: Yard) -> DisturbedTraining:
    return yard.training()


def test_a_killed_rank_of_either_host_is_charged(training: DisturbedTraining) -> None:
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


@pytest.mark.parametrize("number", [0, 1])
def test_a_killed_host_process_costs_no_failure_and_leaves_no_rank(
    yard: Yard, training: DisturbedTraining, number: int
) -> None:
    after = training.after(f"host process {number} killed", training.process(f"host-{number}").kill)
    assert (after.reason, after.is_charged) == ("worker_lost", False)
    assert yard.hosts.hosts[number].name in after.message


@pytest.mark.parametrize("number", [0, 1])
def test_a_host_of_which_everything_is_killed_costs_no_failure(
    yard: Yard, training: DisturbedTraining, number: int
) -> None:
    after = training.after(f"host {number} killed", lambda: yard.hosts.kill(number))
    assert (after.reason, after.is_charged) == ("worker_lost", False)
    assert yard.hosts.hosts[number].name in after.message


def test_a_killed_engine_costs_no_failure(training: DisturbedTraining) -> None:
    (engine,) = psutil.Process(training.worker.pid).children()
    after = training.after("engine killed", engine.kill)
    assert (after.reason, after.is_charged) == ("worker_lost", False)


def test_the_control_plane_is_killed_and_started_again_and_the_training_goes_on(
    yard: Yard, training: DisturbedTraining
) -> None:
    kill(yard.installation.server)
    yard.installation.start_server()
    assert training.goes_on()


def test_a_drained_agent_saves_and_another_goes_on(yard: Yard, training: DisturbedTraining) -> None:
    yard.start_worker()
    after = training.after("agent drained", lambda: training.worker.send_signal(signal.SIGTERM))
    assert (after.reason, after.is_charged, after.worker_losses) == ("released", False, 0)
    assert "with a checkpoint" in after.message


def test_the_ranks_of_a_killed_agent_end_by_themselves_and_another_goes_on(
    yard: Yard, training: DisturbedTraining
) -> None:
    yard.start_worker()
    after = training.after("agent killed", lambda: kill(training.worker))
    assert (after.reason, after.is_charged) == ("worker_lost", False)
    assert after.message.startswith("its worker sent nothing for")


def test_the_ranks_of_a_stopped_agent_end_before_another_goes_on(
    yard: Yard, training: DisturbedTraining
) -> None:
    yard.start_worker()
    agent = psutil.Process(training.worker.pid)
    try:
        after = training.after("agent stopped", agent.suspend)
    finally:
        agent.kill()
        training.worker.wait()
    assert (after.reason, after.is_charged) == ("worker_lost", False)
