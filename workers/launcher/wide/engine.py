"""The interface of engines: they start one process on each host, and say what became of it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True)
class Host:
    """A machine that an engine can start processes on; `address` is what other hosts call it."""

    name: str
    address: str


@dataclass(frozen=True)
class Line:
    """A line that one of the processes has written."""

    text: str


@dataclass(frozen=True)
class Gone:
    """The process of host `number` has ended, and `how`, as far as the engine knows."""

    number: int
    how: str


@dataclass(frozen=True)
class Closed:
    """The engine's own process has ended: nothing more will be heard of the hosts."""

    how: str


EngineMessage = Line | Gone | Closed


class HostProcesses(Protocol):
    """The processes that were started, one on each host."""

    def send(self, line: str) -> None:
        """Send a line to each of them; it may be lost, and never blocks."""

    def kill(self) -> None:
        """End the engine's own process, by which its host processes end too where it can."""

    def have_ended(self) -> bool:
        """Whether the engine is sure, after `Closed`, that none of them is left on any host.

        It ends those that are.
        """


class Engine(Protocol):
    """Starts processes on hosts."""

    number_variable: str
    """The environment variable in which a process finds the number of its host, from 0."""

    def start(
        self,
        command: Sequence[str],
        hosts: Sequence[Host],
        receive: Callable[[EngineMessage], None],
    ) -> HostProcesses:
        """Start `command` once on each host; `receive` is called from other threads.

        Its last message is `Closed`. Raises OSError.
        """
