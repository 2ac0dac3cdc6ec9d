"""Compiling is tried in a process of its own, which a run can stop, outlast and do without."""

import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import torch
from torch._dynamo.utils import counters

from api_tests.support.polling import eventually
from api_tests.support.tiny_network import CLASSES, TINY
from api_tests.support.tiny_training import (
    A_DAY,
    CHANNELS_LAST,
    COMPILED,
    CPU,
    NOW,
    PARAMS,
    ticking,
    tiny_losses,
    tiny_plugin,
    tiny_state,
)
from workers.process_marks import processes_with
from workers.training import trial_of_run
from workers.training.attempt_results import Stopped
from workers.training.calibration import Workload
from workers.training.execution import ORIGINAL
from workers.training.failed_trials import FailedTrial, failed_trial, keep_failed_trial

pytestmark = pytest.mark.xdist_group("training")

MARK = "TRIAL_OF_TEST"
RECIPE = """
    import os, pathlib, signal, subprocess, sys, time
    from api_tests.support.tiny_network import TINY

    def hang():
        # A compiler may leave the session of the process that started it.
        subprocess.Popen(["sleep", "600"], start_new_session=True)
        pathlib.Path(os.environ["TRIAL_OF_TEST"], "hangs").touch()
        time.sleep(600)

    def die():
        os.kill(os.getpid(), signal.SIGKILL)

    def leave():
        # A fork has all files that this process has open.
        if os.fork() == 0:
            time.sleep(600)
        die()

    if "workers.training.compile_trial" in " ".join(sys.orig_argv):
        {act}()
"""


@pytest.fixture
def trial_that(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Path]:
    """Has trials `hang`, `die`, or `leave` a fork; gives the file that one which hangs makes."""

    def act(what: str) -> Path:
        plugin = tmp_path / "plugin"
        tiny_plugin(plugin, "acting_recipe:TINY")
        (plugin / "acting_recipe.py").write_text(textwrap.dedent(RECIPE.format(act=what)))
        monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(plugin), *sys.path]))
        monkeypatch.setenv(MARK, str(tmp_path))
        return tmp_path / "hangs"

    return act


def _left(tmp_path: Path) -> set[int]:
    return set(processes_with(MARK, str(tmp_path)))


@pytest.mark.usefixtures("compile_cache")
def test_a_day_is_tried_compiled_and_what_the_trial_compiled_is_not_compiled_again(
    choosing: Callable[..., Any],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    tiny_plugin(tmp_path / "plugin")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path / "plugin"), *sys.path]))
    choice, notes = choosing(clock=ticking(), **A_DAY)
    assert str(COMPILED) in choice.sentence
    (note,) = notes
    assert "compiles the network, for 50 minutes at most" in note
    torch.compiler.reset()
    counters.clear()
    tiny_losses(tiny_state(COMPILED), 1)
    assert _count("miss") == 0
    assert _count("hit") > 0
    # It is known now: the clock of the second would fail it.
    again, notes = choosing(**A_DAY)
    assert again == choice
    assert len(notes) == 1


def _count(end: str) -> int:
    return sum(n for each in counters.values() for name, n in each.items() if name.endswith(end))


def test_a_stop_ends_the_trial_with_all_its_children(
    choosing: Callable[..., Any], trial_that: Callable[[str], Path], tmp_path: Path
) -> None:
    hangs = trial_that("hang")
    with pytest.raises(Stopped, match="before its first step"):
        choosing(clock=ticking(), stop_asked=hangs.exists, **A_DAY)
    assert hangs.exists()
    assert _left(tmp_path) == set()


def test_a_trial_that_takes_too_long_is_ended_and_the_run_is_eager(
    choosing: Callable[..., Any],
    trial_that: Callable[[str], Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    hangs, ticks = trial_that("hang"), ticking()
    monkeypatch.setattr(trial_of_run, "_POLL_SECONDS", 0.01)
    late = ticking(200.0)
    # Time runs only once the trial hangs.
    choice, notes = choosing(clock=lambda: late() if hangs.exists() else ticks(), **A_DAY)
    assert not choice.execution.compiled
    assert notes[1:3] == [f"the network compiles since {n} minutes" for n in (7, 13)]
    assert notes[-1] == "compiling took more than 50 minutes; the run is eager"
    assert _left(tmp_path) == set()


def test_a_trial_ends_with_a_run_that_is_killed(
    trial_that: Callable[[str], Path], tmp_path: Path
) -> None:
    hangs = trial_that("hang")
    program = """
        import signal
        from api_tests.support.tiny_training import CHANNELS_LAST, PARAMS
        from workers.training.trial_messages import TrialRequest
        from workers.training.trial_process import TrialProcess

        request = TrialRequest(
            recipe="tiny", variant="searched", params=PARAMS.model_dump(mode="json"), classes=7,
            world_size=1, execution=CHANNELS_LAST, device="cpu", threads=1,
        )
        with TrialProcess(request):
            signal.pause()
    """
    run = subprocess.Popen([sys.executable, "-c", textwrap.dedent(program)])
    eventually(hangs.exists)
    trial = _left(tmp_path) - {run.pid}
    assert len(trial) >= 2
    # Where memory runs out, the kernel ends these and not the run.
    assert {Path(f"/proc/{each}/oom_score_adj").read_text() for each in trial} == {"1000\n"}
    run.kill()
    assert run.wait() == -signal.SIGKILL
    eventually(lambda: not _left(tmp_path))


@pytest.mark.parametrize("how", ["die", "leave"])
def test_a_trial_that_is_killed_is_a_note_and_the_run_is_eager(
    choosing: Callable[..., Any], trial_that: Callable[[str], Path], tmp_path: Path, how: str
) -> None:
    trial_that(how)
    choice, notes = choosing(clock=ticking(), **A_DAY)
    left = _left(tmp_path)
    for process in left:
        # In a worker the supervisor does.
        os.kill(process, signal.SIGKILL)
    assert len(left) == (how == "leave")
    assert not choice.execution.compiled
    assert notes[1:] == [
        "the process that compiled was killed (signal 9), as when memory runs out; the run is eager"
    ]
    _, notes = choosing(clock=ticking(), **A_DAY)
    for process in _left(tmp_path):
        os.kill(process, signal.SIGKILL)
    assert notes[-1].startswith("the process that compiled was killed"), "it is not tried again"


def test_a_recipe_that_the_trial_does_not_have_is_a_note_and_the_run_is_eager(
    choosing: Callable[..., Any],
) -> None:
    choice, notes = choosing(clock=ticking(), **A_DAY)
    assert not choice.execution.compiled
    assert notes[1].startswith("compiling failed: there is no recipe 'tiny' here")
    assert notes[1].endswith("; the run is eager")


def test_a_network_that_does_not_compile_is_trained_eager_and_a_note_says_so(
    choosing: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tiny_plugin(tmp_path / "plugin")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path / "plugin"), *sys.path]))
    # A compiler is there, and refuses everything.
    monkeypatch.setenv("CXX", "false")
    choice, notes = choosing(clock=ticking(), **A_DAY)
    assert not choice.execution.compiled
    assert ["does not compile here" in note for note in notes] == [False, True]
    # It is known now: the clock of the second would fail it, as a day later.
    again, notes = choosing(now=NOW + timedelta(hours=2), **A_DAY)
    assert again.execution == choice.execution
    (note,) = notes[2:]
    assert f"not tried again: at {NOW:%Y-%m-%d %H:%M} UTC the network does not compile here" in note
    _, notes = choosing(clock=ticking(), now=NOW + timedelta(days=1), **A_DAY)
    assert ["does not compile here" in note for note in notes[3:]] == [False, True]


def test_a_trial_that_was_too_short_is_made_again_by_a_run_that_has_twice_as_long(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    workload = Workload(TINY, "searched", PARAMS, CLASSES)
    late = FailedTrial(
        execution=CHANNELS_LAST.as_json(), problem="it took long", limit_seconds=100.0, at=NOW
    )
    keep_failed_trial(workload, CPU, late)
    assert failed_trial(workload, CPU, CHANNELS_LAST, 200.0, NOW) == late
    assert failed_trial(workload, CPU, CHANNELS_LAST, 201.0, NOW) is None
    assert failed_trial(workload, CPU, ORIGINAL, 100.0, NOW) is None
    other = replace(workload, classes=CLASSES + 1)
    assert failed_trial(other, CPU, CHANNELS_LAST, 100.0, NOW) is None
    (file,) = (tmp_path / "trainyard" / "calibrations").iterdir()
    file.write_text("{")
    assert failed_trial(workload, CPU, CHANNELS_LAST, 100.0, NOW) is None


def test_what_another_trial_may_not_find_again_is_not_remembered(
    choosing: Callable[..., Any],
) -> None:
    for _ in range(2):
        # The plug-in with the recipe may be installed meanwhile.
        _, notes = choosing(clock=ticking(), **A_DAY)
    assert ["compiling failed" in note for note in notes] == [False, True, False, True]
