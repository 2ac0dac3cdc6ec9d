"""The frame of every long-running thread: no turn that raises ends it in silence."""

import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
import structlog

from service.contract.loop import LOOP_FAILED_STATUS, Loop

DEADLINE_SECONDS = 20.0
_log = structlog.get_logger()


class Turns:
    """A turn that raises the errors it is given, one a turn, and then none; waits can watch it."""

    def __init__(self, *errors: BaseException | None) -> None:
        self.count = 0
        self._errors = list(errors)
        self._changed = threading.Condition()

    def __call__(self) -> None:
        error = self._errors.pop(0) if self._errors else None
        with self._changed:
            self.count += 1
            self._changed.notify_all()
        if error is not None:
            raise error

    def wait_for(self, count: int) -> None:
        """Wait until so many turns have begun."""
        with self._changed:
            assert self._changed.wait_for(lambda: self.count >= count, DEADLINE_SECONDS)


@contextmanager
def running(loop: Loop) -> Iterator[Loop]:
    loop.start()
    yield loop
    loop.stop()
    assert loop.join(DEADLINE_SECONDS)


@pytest.mark.parametrize("error", [ValueError("a bug"), SystemExit(3), KeyboardInterrupt()])
def test_a_turn_that_raises_is_logged_with_its_traceback_and_the_loop_goes_on(
    error: BaseException,
) -> None:
    turns = Turns(error)
    with structlog.testing.capture_logs() as logs, running(a_loop(turns, 0.01)) as loop:
        turns.wait_for(3)
    failed = [each for each in logs if each["event"] == "loop_turn_failed"]
    assert [(each["loop"], each["in_a_row"]) for each in failed] == [("test", 1)]
    assert failed[0]["exc_info"]
    assert loop.errors == 1
    assert loop.turns >= 3


def test_an_outage_is_logged_in_a_line_and_is_never_fatal() -> None:
    turns = Turns(OSError("away\nfor a while"), OSError("still away"))
    loop = Loop("test", 0.01, turns, log=_log, outages=(OSError,), fatal_errors=1)
    with structlog.testing.capture_logs() as logs, running(loop):
        turns.wait_for(3)
    waits = [each for each in logs if each["event"] == "loop_waits"]
    assert [(each["in_a_row"], each["error"]) for each in waits] == [(1, "away"), (2, "still away")]
    assert all("exc_info" not in each for each in waits)
    assert loop.errors == 2


def test_a_loop_is_hastened_and_takes_no_turn_before_its_time_without_it() -> None:
    turns = Turns()
    with running(a_loop(turns, 3600.0)) as loop:
        turns.wait_for(1)
        loop.hasten()
        turns.wait_for(2)
    assert turns.count == 2


def test_a_loop_without_a_pace_takes_a_turn_only_when_it_is_hastened() -> None:
    turns = Turns()
    with running(a_loop(turns, None)) as loop:
        loop.hasten()
        turns.wait_for(1)
    assert turns.count == 1


def test_a_turn_may_say_when_the_next_one_comes() -> None:
    counted = threading.Semaphore(0)

    def turn() -> float:
        counted.release()
        return 0.0

    with running(a_loop(turn, 3600.0)):
        for _ in range(3):
            assert counted.acquire(timeout=DEADLINE_SECONDS)


def test_a_loop_may_be_stopped_by_its_own_turn() -> None:
    loop = a_loop(lambda: loop.stop(), 0.0)
    loop.start()
    assert loop.join(DEADLINE_SECONDS)
    assert (loop.turns, loop.is_stopped()) == (1, True)


def test_a_loop_that_was_never_started_is_stopped_and_joined_at_once() -> None:
    loop = a_loop(Turns(), 0.0)
    loop.stop()
    assert loop.join()


FATAL = """
import signal, structlog
from service.contract.loop import Loop
def turn():
    raise {error}
Loop("vital", 0.0, turn, log=structlog.get_logger(), fatal_errors={fatal}).start()
signal.pause()
"""


@pytest.mark.parametrize("error", ["ValueError('a bug')", "SystemExit(0)"])
def test_a_process_ends_with_a_status_when_a_loop_that_it_needs_cannot_go_on(error: str) -> None:
    ran = subprocess.run(
        [sys.executable, "-c", FATAL.format(error=error, fatal=2)],
        capture_output=True,
        text=True,
        timeout=DEADLINE_SECONDS,
    )
    assert ran.returncode == LOOP_FAILED_STATUS
    assert "loop_ends_the_process" in ran.stdout
    assert "Traceback" in ran.stdout


DYING = """
import signal
from service.contract.loop import Loop
class NoLog:
    def exception(self, event, **fields):
        raise OSError("stderr is closed")
def turn():
    raise ValueError
Loop("vital", 0.0, turn, log=NoLog(), fatal_errors=1000).start()
signal.pause()
"""


def test_a_process_ends_with_a_status_when_the_thread_of_a_loop_that_it_needs_dies() -> None:
    command = [sys.executable, "-c", DYING]
    ran = subprocess.run(command, capture_output=True, timeout=DEADLINE_SECONDS)
    assert ran.returncode == LOOP_FAILED_STATUS


def a_loop(turn: Callable[[], float | None], every_seconds: float | None) -> Loop:
    return Loop("test", every_seconds, turn, log=_log)
