"""What the agent and the drivers that it starts say to each other, each as one line of JSON."""

from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict

from service.contract.kernel import boot_clock
from workers.launcher.wide.messages import RENEW


class _Message(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    @property
    def text(self) -> str:
        """The message as it is sent, without the end of the line."""
        return self.model_dump_json(exclude_defaults=True)


class Node(_Message):
    """A living node of the cluster that can hold ranks; `name` is that of no other one.

    `gpu_model` is what Ray calls its GPUs; empty where it does not tell.
    """

    id: str
    name: str
    address: str
    cpus: float = 0.0
    gpus: int = 0
    gpu_model: str = ""


class NodesReport(_Message):
    """The nodes as they are now, or the `problem` for which nothing is known of them."""

    nodes: tuple[Node, ...] = ()
    problem: str = ""


class HostsRequest(_Message):
    """Start `command` once on each of the nodes with these names; `mark` is this request's own."""

    address: str
    names: tuple[str, ...]
    command: tuple[str, ...]
    mark: str


class HostsReport(_Message):
    """One of: the ids of the `nodes` that are about to be used; a `line` of a host process; the
    number of a host whose process has ended (`gone`), and `how`.
    """

    nodes: tuple[str, ...] = ()
    line: str | None = None
    gone: int | None = None
    how: str = ""


class SweepRequest(_Message):
    """End what is left of the host processes with this `mark`, on the nodes with these ids."""

    address: str
    nodes: tuple[str, ...]
    mark: str


MARK = "TRAINYARD_RAY_HOST"
"""The environment variable of a host process, and of all that comes of it, that has its mark."""


def mark_of(mark: str, number: int) -> str:
    """The value of MARK on host `number`."""
    return f"{mark}-{number}"


def sent(line: str) -> str:
    """A line for host processes, with the time of this machine's `boot_clock` before it."""
    return f"{boot_clock():.3f} {line}"


def aged(line: str) -> str:
    """The line that was `sent` on this machine; a renewal without the seconds that it has taken.

    A driver reads nothing until Ray is loaded, and sends nothing until its actors run.
    """
    at, name, *words = line.split()
    if name != RENEW:
        return " ".join([name, *words])
    return f"{RENEW} {float(words[0]) - (boot_clock() - float(at)):.3f}"


def unique_names(names: Sequence[str], ids: Sequence[str]) -> list[str]:
    """The names of nodes, with a part of the id where several have the same one."""
    return [
        name if names.count(name) == 1 else f"{name}-{node_id[:8]}"
        for name, node_id in zip(names, ids, strict=True)
    ]
