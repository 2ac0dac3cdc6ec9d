"""What the agent makes of the hosts of an attempt; the engine is a stand-in."""

from pathlib import Path
from threading import Event

import pytest

from api_tests.support.fake_engine import HOSTS, FakeEngine
from api_tests.support.polling import eventually
from service.contract.kernel import boot_clock
from workers.launcher.process_exit import ProcessExit, RankExit
from workers.launcher.wide import handle as wide_handle
from workers.launcher.wide.engine import Closed, Gone, Line
from workers.launcher.wide.handle import WideHandle
from workers.launcher.wide.messages import HostReport, HostRequest, end_reports

REQUEST = HostRequest(
    worker_id="wrk_1",
    rank_main="module:function",
    job_id="job_1",
    spec_path=Path("spec.json"),
    log_path=Path("log.txt"),
    gpus=0,
    ranks=1,
    addresses=("10.0.0.1", "10.0.0.2"),
    number_variable="NUMBER",
)


@pytest.fixture
def engine() -> FakeEngine:
    return FakeEngine()


@pytest.fixture
def handle(engine: FakeEngine) -> WideHandle:
    handle = WideHandle(REQUEST, HOSTS, Event(), lambda _: None)
    handle.begin(engine)
    return handle


def ranks_of(host: int, status: int = 0, count: int = 1) -> ProcessExit:
    ranks = [RankExit(rank=host * count + each, status=status) for each in range(count)]
    return ProcessExit(ranks=tuple(ranks))


def test_the_address_of_the_first_host_goes_to_all(engine: FakeEngine, handle: WideHandle) -> None:
    engine.report(HostReport(host=0, listening=("10.0.0.1", 4711)))
    eventually(lambda: engine.sent == ["master 10.0.0.1 4711"])
    assert handle.wait(0) is None


def test_a_deadline_is_sent_as_the_seconds_that_are_left(
    engine: FakeEngine, handle: WideHandle
) -> None:
    handle.extend_deadline(boot_clock() + 50)
    name, seconds = engine.sent[0].split()
    assert name == "renew"
    assert 45 < float(seconds) <= 50


def test_the_ends_of_two_hosts_with_many_ranks_are_one_in_the_order_in_which_they_came(
    engine: FakeEngine, handle: WideHandle
) -> None:
    engine.end(1, ranks_of(1, count=100))
    engine.end(0, ranks_of(0, count=100))
    exit_ = handle.wait(30)
    assert exit_ is not None
    assert [rank.rank for rank in exit_.ranks] == [*range(100, 200), *range(100)]


def test_a_rank_that_failed_ends_the_other_host_and_stays_the_first(
    engine: FakeEngine, handle: WideHandle, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wide_handle, "LAST_RANKS_SECONDS", 3600.0)
    engine.end(1, ranks_of(1, status=3 << 8))
    eventually(lambda: "kill" in engine.sent)
    engine.end(0, ranks_of(0, status=9))
    exit_ = handle.wait(30)
    assert exit_ is not None
    assert exit_.describe == "rank 1 exited with status 3"


def test_a_host_that_is_known_to_have_ended_is_lost_and_the_other_one_is_killed(
    engine: FakeEngine, handle: WideHandle
) -> None:
    handle.extend_deadline(boot_clock() + 3600)
    engine.is_sure = True
    engine.receive(Gone(1, "Killed"))
    eventually(lambda: "kill" in engine.sent)
    engine.end(0, ranks_of(0, status=9))
    engine.receive(Closed("srun ended"))
    exit_ = handle.wait(30)
    assert exit_ is not None
    assert (exit_.problem, exit_.lost_hosts) == ("host nb was lost (Killed)", ("nb",))


def test_a_host_of_which_nobody_knows_is_waited_for_until_its_deadline(
    engine: FakeEngine, handle: WideHandle
) -> None:
    deadline = boot_clock() + 3
    handle.extend_deadline(deadline)
    engine.end(0, ranks_of(0, status=9))
    engine.receive(Closed("srun ended"))
    exit_ = handle.wait(30)
    assert exit_ is not None
    assert boot_clock() >= deadline
    assert exit_.lost_hosts == ("nb",)


def test_what_a_dead_host_process_has_started_is_waited_for(
    engine: FakeEngine, handle: WideHandle
) -> None:
    deadline = boot_clock() + 3
    handle.extend_deadline(deadline)
    engine.receive(Gone(1, "Killed"))
    engine.end(0, ranks_of(0, status=9))
    engine.receive(Closed("srun ended"))
    exit_ = handle.wait(30)
    assert exit_ is not None
    assert boot_clock() >= deadline
    assert exit_.problem == "host nb was lost (Killed)"


def test_hosts_that_were_cut_off_are_lost_whatever_became_of_their_ranks(
    engine: FakeEngine, handle: WideHandle
) -> None:
    engine.is_sure = True
    for host in (0, 1):
        for report in end_reports(host, ranks_of(host, status=9), cut_off=True):
            engine.report(report)
    engine.receive(Closed("srun ended"))
    exit_ = handle.wait(30)
    assert exit_ is not None
    assert (exit_.lost_hosts, exit_.ranks) == (("na", "nb"), ())


def test_a_host_of_which_the_engine_is_sure_is_waited_for_no_longer(
    engine: FakeEngine, handle: WideHandle
) -> None:
    handle.extend_deadline(boot_clock() + 3600)
    engine.is_sure = True
    engine.receive(Closed("srun ended"))
    exit_ = handle.wait(30)
    assert exit_ is not None
    assert exit_.lost_hosts == ("na", "nb")


def test_after_a_kill_no_host_hears_of_a_later_deadline(
    engine: FakeEngine, handle: WideHandle
) -> None:
    handle.kill()
    eventually(lambda: engine.sent == ["kill"])
    handle.extend_deadline(boot_clock() + 50)
    assert engine.sent == ["kill"]


def test_a_host_that_says_nothing_after_a_kill_is_ended_by_its_engine(
    engine: FakeEngine, handle: WideHandle, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wide_handle, "_LAST_REPORTS_SECONDS", 0.0)
    handle.kill()
    eventually(lambda: engine.is_killed)


def test_a_host_that_ends_long_after_another_was_silent(
    engine: FakeEngine, handle: WideHandle, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wide_handle, "LAST_RANKS_SECONDS", 0.0)
    engine.end(0, ranks_of(0))
    eventually(lambda: "kill" in engine.sent)
    engine.end(1, ranks_of(1, status=9))
    exit_ = handle.wait(30)
    assert exit_ is not None
    assert exit_.silence == "rank 1 was silent, and was killed"


def test_a_host_whose_last_report_came_is_told_so(engine: FakeEngine, handle: WideHandle) -> None:
    engine.end(1, ranks_of(1))
    eventually(lambda: engine.sent == ["seen 1"])
    assert handle.wait(0) is None


def test_a_line_that_is_no_report_changes_nothing(engine: FakeEngine, handle: WideHandle) -> None:
    engine.receive(Line("Welcome to node na"))
    engine.end(0, ranks_of(0))
    engine.end(1, ranks_of(1))
    assert handle.wait(30) == ProcessExit(ranks=(*ranks_of(0).ranks, *ranks_of(1).ranks))


def test_hosts_that_cannot_be_reached_are_a_problem_of_the_attempt() -> None:
    handle = WideHandle(REQUEST, HOSTS, Event(), lambda _: None)
    handle.begin(FakeEngine(FileNotFoundError(2, "no srun")))
    handle.kill()
    exit_ = handle.wait(30)
    assert exit_ is not None
    assert exit_.problem.startswith("its hosts could not be reached")


@pytest.mark.parametrize("error", [None, FileNotFoundError(2, "no srun")])
def test_hosts_are_given_back_before_anyone_hears_of_the_end(error: OSError | None) -> None:
    given_back: list[ProcessExit] = []

    def give_back(exit_: ProcessExit) -> None:
        assert handle.wait(0) is None
        given_back.append(exit_)

    engine = FakeEngine(error)
    handle = WideHandle(REQUEST, HOSTS, Event(), give_back)
    handle.begin(engine)
    if error is None:
        engine.end(0, ranks_of(0))
        engine.end(1, ranks_of(1))
    exit_ = handle.wait(30)
    assert given_back == [exit_]
