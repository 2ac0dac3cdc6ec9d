"""Whatever dies of a training over two hosts: what its job says, and that nothing is left."""

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
        self.installation.close()
        eventually(lambda: not any(self.hosts.pids(number) for number in (0, 1)))
        self.hosts.close()

    def _agent(self) -> "subprocess.Popen[bytes]":
        """The worker that runs the training: the only one with children."""

        def busy() -> "subprocess.Popen[bytes] | None":
            living = [worker for worker in self._workers if worker.poll() is None]
            with_children = [w for w in living if psutil.Process(w.pid).children()]
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


@pytest.mark.parametrize("rank", [0, 1])
def test_a_rank_that_is_killed(training: DisturbedTraining, rank: int) -> None:
    after = training.after(training.process(f"rank-{rank}").kill)
    print(rank, after)
    assert (after.reason, after.is_charged) == ("crashed", True)
    assert after.message.startswith(f"rank {rank} was killed (signal 9)")


@pytest.mark.parametrize("rank", [0, 1])
def test_a_rank_that_is_stopped(training: DisturbedTraining, rank: int) -> None:
    after = training.after(training.process(f"rank-{rank}").suspend)
    print(rank, after)
    assert (after.reason, after.is_charged) == ("stalled", True)


@pytest.mark.parametrize("part", ["supervisor", "host-0", "host-1"])
def test_a_process(training: DisturbedTraining, part: str) -> None:
    after = training.after(training.process(part).kill)
    print(part, after)


@pytest.mark.parametrize("number", [0, 1])
def test_a_host(yard: Yard, training: DisturbedTraining, number: int) -> None:
    after = training.after(lambda: yard.hosts.kill(number))
    print(number, after)


def test_an_agent_killed(yard: Yard, training: DisturbedTraining) -> None:
    yard.start_worker()
    after = training.after(lambda: kill(training.worker))
    print("agent", after)


def test_engine(training: DisturbedTraining) -> None:
    (engine,) = psutil.Process(training.worker.pid).children()
    after = training.after(engine.kill)
    print("engine", after)


def test_drain(yard: Yard, training: DisturbedTraining) -> None:
    yard.start_worker()
    after = training.after(lambda: training.worker.send_signal(signal.SIGTERM))
    print("drain", after)


def test_server(yard: Yard, training: DisturbedTraining) -> None:
    kill(yard.installation.server)
    yard.installation.start_server()
    assert training.goes_on()
