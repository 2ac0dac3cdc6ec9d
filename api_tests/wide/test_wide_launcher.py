"""Which hosts an attempt gets, and when others get them; the engine is a stand-in."""

from dataclasses import replace
from pathlib import Path

import pytest

from api_tests.support.fake_engine import HOSTS, FakeEngine
from api_tests.support.wide_launches import options_for
from workers.launcher.base import Launch, TooLittleRoom
from workers.launcher.process_exit import ProcessExit
from workers.launcher.wide.exits import HostExits
from workers.launcher.wide.launcher import HostLauncher

LAUNCH = Launch("job_1", Path("spec.json"), Path("log.txt"), 0, hosts=2, ranks=1)


def test_an_attempt_of_more_hosts_than_are_free_is_refused_and_takes_none() -> None:
    engine = FakeEngine()
    launcher = HostLauncher(options_for("trains"), engine, HOSTS, 0)
    with pytest.raises(TooLittleRoom, match="it needs 3 hosts, and 2 can be given out"):
        launcher.start(replace(LAUNCH, hosts=3))
    handle = launcher.start(LAUNCH)
    with pytest.raises(TooLittleRoom, match="it needs 2 hosts, and 0 can be given out"):
        launcher.start(LAUNCH)
    for host in range(2):
        engine.end(host, ProcessExit())
    assert handle.wait(30) is not None
    launcher.close()


def test_hosts_of_an_attempt_that_could_not_begin_are_free_and_nothing_waits_for_it() -> None:
    engine = FakeEngine(RuntimeError("can't start new thread"))
    launcher = HostLauncher(options_for("trains"), engine, HOSTS, 0)
    for _ in range(2):
        with pytest.raises(RuntimeError, match="can't start new thread"):
            launcher.start(LAUNCH)
    launcher.close()


def test_an_attempt_whose_ends_make_no_sense_has_ended_and_its_hosts_are_free(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail(_exits: HostExits) -> ProcessExit:
        raise ValueError("no such host")

    monkeypatch.setattr(HostExits, "merged", fail)
    engine = FakeEngine()
    launcher = HostLauncher(options_for("trains"), engine, HOSTS, 0)
    for _ in range(2):
        handle = launcher.start(LAUNCH)
        for host in range(2):
            engine.end(host, ProcessExit())
        exit_ = handle.wait(30)
        assert exit_ is not None
        assert exit_.problem == "its hosts could not be followed: no such host"
    launcher.close()
