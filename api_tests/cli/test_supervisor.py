"""The supervisor with real processes and real signals."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest


class SupervisorProcess:
    """A supervisor in a process of its own, and what its children noted."""

    def __init__(
        self,
        folder: Path,
        manners: tuple[str, ...],
        output: Path,
        *,
        grace_seconds: float,
        join_seconds: float,
    ) -> None:
        self.folder, self._output = folder, output
        with self._output.open("w") as stdout:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "api_tests.support.supervised_children", folder, *manners],
                stdout=stdout,
                env=os.environ
                | {"GRACE_SECONDS": str(grace_seconds), "JOIN_SECONDS": str(join_seconds)},
            )

    @property
    def output(self) -> str:
        """What it has printed so far."""
        return self._output.read_text()

    def notes(self) -> list[str]:
        """`NAME started|asked|ended`, in order."""
        return [" ".join(line.split()[:2]) for line in self._lines()]

    def pids(self) -> list[int]:
        """Everybody who ever started."""
        return [int(line.split()[2]) for line in self._lines() if " started " in line]

    def is_up(self, *names: str) -> bool:
        """Whether all of them run."""
        return all((self.folder / f"{name}.up").exists() for name in names)

    def left(self) -> list[int]:
        """Which of its processes still live."""
        pids = [*self.pids(), *map(int, self._daemons())]
        return [pid for pid in pids if _lives(pid)]

    def _daemons(self) -> list[str]:
        return [path.read_text() for path in self.folder.glob("daemon")]

    def _lines(self) -> list[str]:
        path = self.folder / "notes"
        return path.read_text().splitlines() if path.exists() else []


def _lives(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., SupervisorProcess]]:
    supervisors: list[SupervisorProcess] = []

    def started(
        *manners: str,
        output: Path = tmp_path / "output",
        grace_seconds: float = 30.0,
        join_seconds: float = 60.0,
    ) -> SupervisorProcess:
        supervisors.append(
            SupervisorProcess(
                tmp_path, manners, output, grace_seconds=grace_seconds, join_seconds=join_seconds
            )
        )
        return supervisors[-1]

    yield started
    for supervisor in supervisors:
        supervisor.process.kill()
        supervisor.process.wait()
        for pid in supervisor.left():
            os.kill(pid, signal.SIGKILL)


def test_the_workers_start_once_the_server_is_ready_and_end_before_it(
    start: Any, wait_for: Any
) -> None:
    supervisor = start("good", "good", "good")
    wait_for(lambda: supervisor.is_up("server", "worker-1", "worker-2"))
    supervisor.process.send_signal(signal.SIGTERM)
    assert supervisor.process.wait(20) == 0
    notes = supervisor.notes()
    assert notes[0] == "server started"
    assert notes[-2:] == ["server asked", "server ended"]
    assert {"worker-1 ended", "worker-2 ended"} < set(notes[:-2])
    assert supervisor.left() == []


def test_a_terminals_interrupt_ends_it_in_order_too(start: Any, wait_for: Any) -> None:
    supervisor = start("good", "good")
    wait_for(lambda: supervisor.is_up("worker-1"))
    supervisor.process.send_signal(signal.SIGINT)
    assert supervisor.process.wait(20) == 0
    assert supervisor.notes()[-3:] == ["worker-1 ended", "server asked", "server ended"]


def test_children_have_sessions_of_their_own(start: Any, wait_for: Any) -> None:
    supervisor = start("good", "good")
    wait_for(lambda: supervisor.is_up("worker-1"))
    assert [os.getsid(pid) for pid in supervisor.pids()] == supervisor.pids()


def test_a_child_that_dies_is_started_again_and_its_last_words_are_told(
    start: Any, wait_for: Any
) -> None:
    supervisor = start("good", "crashes-once")
    wait_for(lambda: supervisor.is_up("worker-1"))
    assert (
        "worker-1 ended unexpectedly (exit status 1): something broke; it starts"
        in supervisor.output
    )
    assert supervisor.notes().count("worker-1 started") == 2
    assert supervisor.notes().count("server started") == 1


def test_a_supervisor_that_cannot_print_goes_on(start: Any, wait_for: Any) -> None:
    supervisor = start("good", "crashes-once", output=Path("/dev/full"))
    wait_for(lambda: supervisor.is_up("worker-1"))
    assert supervisor.notes().count("worker-1 started") == 2
    supervisor.process.send_signal(signal.SIGTERM)
    assert supervisor.process.wait(20) == 0
    assert supervisor.notes()[-2:] == ["server asked", "server ended"]


def test_a_killed_server_is_started_again_while_its_worker_goes_on(
    start: Any, wait_for: Any
) -> None:
    supervisor = start("good", "good")
    wait_for(lambda: supervisor.is_up("worker-1"))
    os.kill(supervisor.pids()[0], signal.SIGKILL)
    wait_for(lambda: supervisor.notes().count("server started") == 2)
    assert "server ended unexpectedly (signal 9); it starts again in 1 s" in supervisor.output
    assert supervisor.notes().count("worker-1 started") == 1


def test_a_server_that_never_gets_ready_is_not_tried_again(start: Any) -> None:
    supervisor = start("fails-at-start", "good")
    assert supervisor.process.wait(20) == 1
    assert "refused: something broke" in supervisor.output
    assert supervisor.notes() == ["server started"]


def test_a_restarted_server_that_refuses_ends_the_yard_in_order(start: Any, wait_for: Any) -> None:
    supervisor = start("refuses-later", "good")
    wait_for(lambda: supervisor.is_up("worker-1"))
    os.kill(supervisor.pids()[0], signal.SIGKILL)
    assert supervisor.process.wait(20) == 1
    assert "refused: the database is held by another server" in supervisor.output
    assert supervisor.notes()[-1] == "worker-1 ended"


def test_a_worker_that_does_not_join_is_mentioned_with_its_reason_and_again_when_it_joins(
    start: Any, wait_for: Any
) -> None:
    supervisor = start("good", "good", "late", join_seconds=0.5)
    wait_for(lambda: "worker-2 has not joined" in supervisor.output)
    (line,) = (line for line in supervisor.output.splitlines() if "not joined" in line)
    assert "control_plane_unreachable: ConnectError: nobody is there" in line
    assert str(supervisor.folder / "worker-2.log") in line
    (supervisor.folder / "go").touch()
    wait_for(lambda: "worker-2 has joined" in supervisor.output)
    assert "worker-1" not in supervisor.output


def test_a_server_that_does_not_answer_is_mentioned_with_its_reason(
    start: Any, wait_for: Any
) -> None:
    supervisor = start("late", join_seconds=0.5)
    wait_for(lambda: "the server does not answer yet" in supervisor.output)
    assert "ConnectError: nobody is there" in supervisor.output
    (supervisor.folder / "go").touch()
    wait_for(lambda: "ready" in supervisor.output)


def test_a_second_signal_kills(start: Any, wait_for: Any) -> None:
    supervisor = start("good", "stubborn")
    wait_for(lambda: supervisor.is_up("worker-1"))
    supervisor.process.send_signal(signal.SIGTERM)
    wait_for(lambda: "worker-1 asked" in supervisor.notes())
    supervisor.process.send_signal(signal.SIGTERM)
    assert supervisor.process.wait(20) == 0
    assert supervisor.notes()[-1] == "server ended"
    assert supervisor.left() == []


def test_who_does_not_end_in_time_is_killed(start: Any, wait_for: Any) -> None:
    supervisor = start("good", "stubborn", grace_seconds=0.3)
    wait_for(lambda: supervisor.is_up("worker-1"))
    supervisor.process.send_signal(signal.SIGTERM)
    assert supervisor.process.wait(20) == 0
    assert "out of time" in supervisor.output
    assert supervisor.left() == []


def test_nothing_is_left_of_a_yard_that_is_killed(start: Any, wait_for: Any) -> None:
    supervisor = start("good", "good", "good")
    wait_for(lambda: supervisor.is_up("server", "worker-1", "worker-2"))
    supervisor.process.kill()
    wait_for(lambda: supervisor.left() == [])


def test_what_a_dead_worker_leaves_behind_is_ended(start: Any, wait_for: Any) -> None:
    supervisor = start("good", "has-a-daemon")
    wait_for(lambda: supervisor.is_up("worker-1"))
    daemon = int((supervisor.folder / "daemon").read_text())
    os.kill(supervisor.pids()[1], signal.SIGKILL)
    wait_for(lambda: not _lives(daemon))


def test_what_a_worker_leaves_behind_at_its_end_is_ended(start: Any, wait_for: Any) -> None:
    supervisor = start("good", "has-a-daemon")
    wait_for(lambda: supervisor.is_up("worker-1"))
    supervisor.process.send_signal(signal.SIGTERM)
    assert supervisor.process.wait(20) == 0
    assert supervisor.left() == []
