"""Two hosts that are network namespaces, with a wire between them that can be cut."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from api_tests.support.claims import LONG
from api_tests.support.namespace_engine import NamespaceEngine
from api_tests.support.namespaces import TwoHosts, missing_for_namespaces
from api_tests.support.polling import eventually
from api_tests.support.wide_launches import TRAINER, WideAttempt, final_weights, options_for
from api_tests.support.worker_process import all_ended
from service.contract.ids import new_id
from service.contract.kernel import boot_clock
from workers.launcher.wide.launcher import HostLauncher

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("whole machine")]

SURVIVED_SECONDS = 20.0


@pytest.fixture
def two_hosts(monkeypatch: pytest.MonkeyPatch) -> Iterator[TwoHosts]:
    if missing := missing_for_namespaces():
        pytest.skip(missing)
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[2]))
    hosts = TwoHosts()
    yield hosts
    hosts.close()


def a_launcher(two_hosts: TwoHosts, rank_main: str = TRAINER) -> HostLauncher:
    return HostLauncher(options_for(rank_main), NamespaceEngine(), two_hosts.hosts, 0)


def test_two_hosts_train_to_the_weights_of_two_ranks_on_one_host(
    two_hosts: TwoHosts, tmp_path: Path
) -> None:
    launcher = a_launcher(two_hosts)
    wide = WideAttempt(launcher, tmp_path, job_id=new_id("job"), hosts=2)
    exit_ = wide.end()
    assert [rank.status for rank in exit_.ranks] == [0, 0]
    assert wide.outcome() == "succeeded"
    narrow = WideAttempt(launcher, tmp_path, job_id=new_id("job"), hosts=1, ranks=2)
    narrow.end()
    assert final_weights(wide) == final_weights(narrow)


def test_two_ranks_on_each_of_two_hosts_have_their_numbers(
    two_hosts: TwoHosts, tmp_path: Path
) -> None:
    launcher = a_launcher(two_hosts, "tells_all_places")
    attempt = WideAttempt(launcher, tmp_path, job_id=new_id("job"), hosts=2, ranks=2)
    exit_ = attempt.end()
    assert sorted(rank.rank for rank in exit_.ranks) == [0, 1, 2, 3]
    places = [(attempt.folder.folder / f"place-{rank}").read_text().split() for rank in range(4)]
    assert [place[:2] for place in places] == [["0", "4"], ["1", "4"], ["0", "4"], ["1", "4"]]
    assert {place[2] for place in places} == {two_hosts.hosts[0].address}
    assert len({place[3] for place in places}) == 1
    assert {place[4] for place in places} == {"wire"}


def test_a_wire_that_is_cut_for_twenty_seconds_costs_nothing(
    two_hosts: TwoHosts, tmp_path: Path
) -> None:
    launcher = a_launcher(two_hosts)
    attempt = WideAttempt(
        launcher, tmp_path, job_id=new_id("job"), hosts=2, lease_seconds=300, **LONG
    )
    attempt.wait_for("progress")
    two_hosts.set_wire(1, "down")
    is_back_at = boot_clock() + SURVIVED_SECONDS
    eventually(lambda: boot_clock() >= is_back_at)
    seen = len(attempt.kinds())
    two_hosts.set_wire(1, "up")
    eventually(lambda: len(attempt.kinds()) > seen + 3)
    attempt.handle.terminate()
    attempt.end()
    assert attempt.outcome() == "released"


def test_a_wire_that_stays_cut_ends_the_attempt_on_both_hosts(
    two_hosts: TwoHosts, tmp_path: Path
) -> None:
    launcher = a_launcher(two_hosts)
    attempt = WideAttempt(
        launcher, tmp_path, job_id=new_id("job"), hosts=2, lease_seconds=400, **LONG
    )
    attempt.wait_for("progress")
    processes = attempt.processes()
    two_hosts.set_wire(1, "down")
    attempt.end(300)
    assert attempt.outcome() == "failed"
    assert all_ended(processes)
