"""How an attempt's ranks are started and surely ended, on whatever they run."""

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from workers.launcher.process_exit import ProcessExit


@dataclass(frozen=True)
class Launch:
    """What to start: no `gpus` is one rank on the CPU, N are N ranks with one each."""

    job_id: str
    spec_path: Path
    log_path: Path
    gpus: int


class Handle(Protocol):
    """The ranks of one attempt and every process below them."""

    def terminate(self) -> None:
        """Send SIGTERM to the ranks: save and end."""

    def hold_until(self, boot_seconds: float) -> None:
        """Have the tree end by itself at this time of `boot_clock` unless told a later one."""

    def dump_stacks(self) -> None:
        """Have each rank write the stacks of its threads into the log."""

    def kill(self) -> None:
        """End the whole tree at once."""

    def wait(self, timeout_seconds: float | None = None) -> ProcessExit | None:
        """How the ranks ended, once no process of the tree is left; None at the timeout."""


class Launcher(Protocol):
    """Starts attempts, and hands out the worker's GPUs."""

    @property
    def free_gpus(self) -> int:
        """How many GPUs no attempt has."""

    def start(self, launch: Launch) -> Handle:
        """Start the ranks; what goes wrong is told by the handle's exit."""

    def close(self) -> None:
        """End every tree and return when none is left."""
