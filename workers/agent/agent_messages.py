"""What an agent's threads and signal handlers tell its main thread."""

from dataclasses import dataclass

from workers.agent.control_plane_errors import ControlPlaneError


@dataclass(frozen=True)
class Drain:
    """A signal: the first drains, the second ends."""


@dataclass(frozen=True)
class MachinesLeave:
    """The launcher's machines are about to be taken away."""


@dataclass(frozen=True)
class AttemptEnded:
    """An attempt's thread is done."""


@dataclass(frozen=True)
class WorkerRefused:
    """The control plane will not have this worker."""

    error: ControlPlaneError


AgentMessage = Drain | MachinesLeave | AttemptEnded | WorkerRefused
