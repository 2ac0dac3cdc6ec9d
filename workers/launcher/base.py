"""The interface of launchers: they start the ranks of an attempt, and end them surely."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Protocol

from workers.launcher.process_exit import ProcessExit


class TooLittleRoom(Exception):
    """An attempt needs more hosts or GPUs than are free now; nothing was started."""


@dataclass(frozen=True)
class GpuDevice:
    """One GPU of the worker, or a part of one (MIG), by its index there.

    `cuda_name` is its name for CUDA_VISIBLE_DEVICES: a UUID, which no lost neighbour shifts.
    """

    index: int
    cuda_name: str


@dataclass(frozen=True)
class LauncherOptions:
    """The options of a launcher: `slots` is the number of attempts at the same time.

    `rank_main` is `module:function`; it is called in each rank with the path of the attempt's
    `spec.json`, and returns the rank's exit status. In the `last_claim_seconds` before its machines
    are taken away, a launcher wants no new attempt. `ray_address` is `HOST:PORT` of a cluster's
    head, for the launcher that needs it.
    """

    worker_id: str
    slots: int
    rank_main: str
    last_claim_seconds: float = 300.0
    ray_address: str | None = None


@dataclass(frozen=True)
class Launch:
    """The attempt to start: on each of `hosts` one rank for each of `gpus`, or `ranks` on the CPU.

    `ranks` counts where `gpus` is 0.
    """

    job_id: str
    spec_path: Path
    log_path: Path
    gpus: int
    ranks: int = 1
    hosts: int = 1

    @property
    def ranks_per_host(self) -> int:
        """How many ranks each host has."""
        return self.gpus or self.ranks


class CannotLaunch(Exception):
    """A launcher cannot work as it was started; the message says what to change."""


class Availability(StrEnum):
    """What a launcher's machines are there for: `OPEN` for every attempt.

    With `CLOSING` no more is to be started, with `ENDING` those that run are to save and end.
    """

    OPEN = "open"
    CLOSING = "closing"
    ENDING = "ending"


class Handle(Protocol):
    """The running ranks of one attempt, with all their descendants."""

    @property
    def gpus(self) -> Sequence[int]:
        """The indices of the worker's GPUs that the ranks use."""

    def terminate(self) -> None:
        """Send SIGTERM to the ranks, which then save a checkpoint and end."""

    def extend_deadline(self, boot_seconds: float) -> None:
        """Set the time of `boot_clock`, in seconds, at which the ranks are killed.

        Called with the end of the lease after each heartbeat: ranks whose agent is stopped end
        before another worker can get the job.
        """

    def dump_stacks(self) -> None:
        """Have each rank write the stacks of its threads to the attempt's log."""

    def kill(self) -> None:
        """Kill the ranks and all their descendants at once."""

    def wait(self, timeout_seconds: float | None = None) -> ProcessExit | None:
        """Wait until no process of the attempt is left; None if `timeout_seconds` pass first."""


class Launcher(Protocol):
    """Starts the attempts of one worker, and assigns its GPUs to them."""

    @property
    def hosts(self) -> int:
        """How many hosts it starts ranks on; with more than one, an attempt has hosts to itself."""

    @property
    def free_gpus(self) -> int:
        """The number of GPUs that may be given out, and that no attempt uses.

        Of several hosts, those of one that is free.
        """

    def offer_gpus(self, gpus: Sequence[GpuDevice]) -> None:
        """Give out these GPUs alone from now on, none before; an attempt keeps those it has."""

    def start(self, launch: Launch) -> Handle:
        """Start the ranks of an attempt; a failure is reported by the handle's `wait`.

        Raises TooLittleRoom if fewer hosts or GPUs are free, since one was lost meanwhile.
        """

    def close(self) -> None:
        """Kill the processes of all attempts, and return when none is left."""


class ClusterLauncher(Launcher, Protocol):
    """A launcher that starts no ranks on the worker's own machine, but on those of a cluster."""

    def cluster_gpus(self) -> Sequence[str]:
        """The GPUs that each host has, by their models; returns at once."""


class TemporaryLauncher(Launcher, Protocol):
    """A launcher whose machines may be taken away."""

    def availability(self) -> Availability:
        """Whether attempts may be started, and may go on; returns at once."""
