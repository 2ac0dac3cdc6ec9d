"""The network between a worker and its server is cut in the middle of a training."""

import random
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from api_tests.support.installation import PARAMS, TRAIN, Installation, rank_of, until
from api_tests.support.processes import lives
from chaos.proxy import NO_FAULTS, Proxy
from service.contract.checkpoints import attempt_path
from service.volume.folder import checkpoints_in

# One after another: their leases are of seconds, and each needs the machine's cores.
pytestmark = pytest.mark.xdist_group("whole machine")

LONGER = TRAIN | {"params": PARAMS | {"total_iters": 80, "val_interval": 80}}
ENDLESS = TRAIN | {"params": PARAMS | {"total_iters": 5000, "val_interval": 5000}}
# Room between the end of the one and the beginning of the other, for a busy machine.
HASTY = {
    "UNREACHABLE_SECONDS": "1",
    "SELF_END_SECONDS": "3",
    "KILL_GRACE_SECONDS": "1",
    "REASSIGN_SECONDS": "10",
}


@pytest.fixture
def hasty_installation(tmp_path: Path) -> Iterator[Installation]:
    installation = Installation(tmp_path, **HASTY)
    yield installation
    installation.close()


class Refusing:
    """A network that cuts every connection and refuses new ones."""

    def __init__(self, port: int) -> None:
        self._proxy = Proxy(port, random.Random(0))
        self.url = self._proxy.url

    def cut(self) -> None:
        self._proxy.partition()

    def mend(self) -> None:
        self._proxy.faults = NO_FAULTS

    def close(self) -> None:
        self._proxy.close()


class Swallowing:
    """A network that takes every byte and delivers none, in both directions."""

    def __init__(self, port: int) -> None:
        code = (
            "import random, sys; from chaos.proxy import Proxy;"
            f"print(Proxy({port}, random.Random(0)).url, flush=True); sys.stdin.read()"
        )
        self._proxy = subprocess.Popen(
            [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert self._proxy.stdout is not None
        self.url = self._proxy.stdout.readline().strip()

    def cut(self) -> None:
        # Its sockets are the kernel's, which goes on to take what is sent.
        self._proxy.send_signal(signal.SIGSTOP)

    def mend(self) -> None:
        self._proxy.send_signal(signal.SIGCONT)

    def close(self) -> None:
        self._proxy.kill()
        self._proxy.communicate()


Network = Refusing | Swallowing


@contextmanager
def _network(kind: type[Network], installation: Installation) -> Iterator[Network]:
    network = kind(installation.port)
    try:
        yield network
    finally:
        network.close()


@pytest.mark.parametrize("kind", [Refusing, Swallowing])
def test_while_the_network_is_cut_the_training_goes_on_and_then_tells_everything_once(
    patient_installation: Installation, kind: type[Network]
) -> None:
    installation = patient_installation
    with _network(kind, installation) as network:
        installation.start_worker(SERVER=network.url)
        job_id = installation.client.submit(LONGER).id
        installation.running_past(job_id, 5)
        network.cut()
        known = _known_step(installation, job_id)
        until(lambda: _saved_step(installation, job_id) >= known + 10)
        assert _known_step(installation, job_id) == known
        network.mend()
        job = installation.client.wait(job_id, timeout_seconds=90)
    assert (job.state, job.attempt) == ("succeeded", 1), job.message
    counts = Counter((event.kind, event.message) for event in installation.client.events(job_id))
    assert [event for event, times in counts.items() if times > 1] == []
    saved = sorted(each.step for each in installation.client.checkpoints(job=job_id))
    assert saved == [*range(5, 81, 5), 84]
    series = installation.client.metrics(job_id, ["loss"])["loss"]
    assert [step for step, _ in series] == list(range(5, 81, 5))


@pytest.mark.parametrize("kind", [Refusing, Swallowing])
def test_a_worker_that_is_cut_off_for_too_long_ends_its_training_before_another_has_the_job(
    hasty_installation: Installation, kind: type[Network]
) -> None:
    with _network(kind, hasty_installation) as network:
        _cut_off_for_too_long(hasty_installation, network)


def _cut_off_for_too_long(installation: Installation, network: Network) -> None:
    client = installation.client
    worker = installation.start_worker(SERVER=network.url)
    job_id = client.submit(ENDLESS).id
    installation.running_past(job_id, 5)
    rank = rank_of(worker)
    installation.start_worker()
    until(lambda: len(client.workers()) == 2)
    network.cut()
    until(lambda: not lives(rank))
    assert client.job(job_id).attempt == 1
    until(lambda: _resumed(installation, job_id))
    network.mend()
    until(lambda: all(worker.state == "active" for worker in client.workers()))
    first, second = client.attempts(job_id)
    assert (first.state, first.reason) == ("lost", "worker_lost")
    assert second.state == "running"
    assert len(_resumed(installation, job_id)) == 1


def _resumed(installation: Installation, job_id: str) -> list[str]:
    messages = [event.message for event in installation.client.events(job_id)]
    return [message for message in messages if "resumed at step" in message]


def _known_step(installation: Installation, job_id: str) -> int:
    return installation.client.latest_checkpoint(job=job_id).step


def _saved_step(installation: Installation, job_id: str) -> int:
    found: list[Any] = checkpoints_in(installation.volume / attempt_path(job_id, 1))
    return max(manifest.step for _, manifest in found)
