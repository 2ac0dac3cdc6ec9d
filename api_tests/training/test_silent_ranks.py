"""Ranks that hang while the others wait for them in a collective."""

import os
import signal
import time
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any

import pytest

from api_tests.support.attempts import (
    attempt,
    draw_photos,
    ended,
    kill,
    resumable,
    run,
    shown_step,
    start,
    train_spec,
    until,
)
from api_tests.support.tiny_training import COMPILED
from workers.attempt_dir import AttemptDir
from workers.data.errors import InvalidData
from workers.runs import datasets, train
from workers.training import initial_state, process_group, step_of_run
from workers.training.execution_choice import Choice

pytestmark = pytest.mark.xdist_group("training")


def soon() -> None:
    """Have ranks wait for each other for seconds, not minutes."""
    process_group.TIMEOUT = timedelta(seconds=3)


def soon_and_never() -> None:
    """The same, and the second rank never joins the first."""
    soon()
    while os.environ["RANK"] == "1":
        signal.pause()


def compile_as(in_second: Callable[[], None]) -> None:
    """Ranks that are to compile, and soon have no kernel; the second one does this first."""

    def problem(*_: Any) -> str:
        if os.environ["RANK"] == "1":
            in_second()
        return "no such kernel"

    soon()
    train.choose = lambda *_, **__: Choice(COMPILED, "as in the checkpoint")  # type: ignore[assignment]
    step_of_run.forward_of = lambda network, *_, **__: network  # type: ignore[assignment]
    step_of_run._compile_problem = problem


def open_as(in_second: Callable[[], None]) -> None:
    """The second rank does this first, whenever ranks open a split of their data."""
    open_split = datasets.open_split

    def opened(*arguments: Any) -> Any:
        if os.environ["RANK"] == "1":
            in_second()
        return open_split(*arguments)

    soon()
    datasets.open_split = opened


def read_slowly() -> None:
    """The second rank needs longer for a checkpoint than ranks wait for each other."""
    load = initial_state.load_resumable

    def loaded(*arguments: Any) -> Any:
        if os.environ["RANK"] == "1":
            take_longer()
        return load(*arguments)

    soon()
    initial_state.load_resumable = loaded


def take_longer() -> None:
    """Than ranks wait for each other."""
    time.sleep(5)


def refuse() -> None:
    """As for a reason that no compiler gives."""
    raise InvalidData("no such image")


def end_told_by(rank: ForkServerProcess, attempt_dir: AttemptDir) -> dict[str, Any]:
    """How the attempt ended, once this rank has told of it and ended well."""
    rank.join(60)
    assert rank.exitcode == 0
    return ended(attempt_dir.events_after(0))


def test_a_rank_that_stops_ends_the_attempt_of_those_who_wait_for_it_as_stalled(
    tmp_path: Path,
) -> None:
    draw_photos(tmp_path)
    attempt_dir = attempt(tmp_path, spec=train_spec(total_iters=10_000, save_interval=10_000))
    first, second = processes = start(attempt_dir, ranks=2, before=soon)
    try:
        until(lambda: shown_step(attempt_dir) >= 2, processes)
        assert second.pid is not None
        os.kill(second.pid, signal.SIGSTOP)
        last = end_told_by(first, attempt_dir)
    finally:
        kill(processes)
    assert (last["outcome"], last["reason"]) == ("failed", "stalled")
    assert "another rank did not answer" in last["message"]
    assert "3000ms" in last["message"]


def test_a_rank_that_never_comes_ends_the_attempt_of_those_who_wait_for_it(
    tmp_path: Path,
) -> None:
    draw_photos(tmp_path)
    attempt_dir = attempt(tmp_path)
    first, _ = processes = start(attempt_dir, ranks=2, before=soon_and_never)
    try:
        last = end_told_by(first, attempt_dir)
    finally:
        kill(processes)
    assert (last["outcome"], last["reason"]) == ("failed", "crashed")
    assert "the ranks could not meet" in last["message"]


def test_a_rank_that_compiles_longer_than_ranks_wait_is_waited_for(tmp_path: Path) -> None:
    draw_photos(tmp_path)
    attempt_dir = attempt(tmp_path, spec=train_spec(total_iters=1, bn_recalibration_iters=1))
    events = run(attempt_dir, ranks=2, before=partial(compile_as, take_longer))
    assert ended(events)["outcome"] == "succeeded"
    assert "does not compile here: no such kernel" in str([event.body for event in events])


def test_a_rank_that_fails_while_others_wait_for_it_to_compile_ends_the_attempt(
    tmp_path: Path,
) -> None:
    draw_photos(tmp_path)
    last = ended(run(attempt(tmp_path), ranks=2, before=partial(compile_as, refuse)))
    assert (last["outcome"], last["reason"]) == ("failed", "invalid_data")
    assert last["message"] == "no such image"


def test_a_rank_that_opens_its_data_longer_than_ranks_wait_is_waited_for(tmp_path: Path) -> None:
    draw_photos(tmp_path)
    attempt_dir = attempt(tmp_path, spec=train_spec(total_iters=1, bn_recalibration_iters=1))
    last = ended(run(attempt_dir, ranks=2, before=partial(open_as, take_longer)))
    assert (last["outcome"], last["message"]) == ("succeeded", "")


def test_a_rank_that_reads_its_checkpoint_longer_than_ranks_wait_is_waited_for(
    tmp_path: Path,
) -> None:
    draw_photos(tmp_path)
    spec = train_spec(total_iters=3, bn_recalibration_iters=1)
    assert ended(run(attempt(tmp_path, spec=spec), ranks=2))["outcome"] == "succeeded"
    second = attempt(tmp_path, 2, spec=spec, resume=resumable(tmp_path))
    last = ended(run(second, ranks=2, before=read_slowly))
    assert (last["outcome"], last["message"]) == ("succeeded", "")


def test_a_rank_whose_data_does_not_open_ends_the_attempt_with_what_it_says(
    tmp_path: Path,
) -> None:
    draw_photos(tmp_path)
    last = ended(run(attempt(tmp_path), ranks=2, before=partial(open_as, refuse)))
    assert (last["outcome"], last["reason"]) == ("failed", "invalid_data")
    assert last["message"] == "no such image"
