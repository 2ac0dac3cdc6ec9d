"""How a worker makes itself known to the control plane, and takes its leave."""

from typing import Annotated

from pydantic import Field

from service.contract.fields import IdText, Number, Step, WorkerLabels
from service.contract.reading import PeerMessage
from service.contract.text import CutTo, Message, PathText, ShortText

MOST_GPUS = MOST_SLOTS = 1024
_MOST_NEIGHBOURS = 10_000


class Gpu(PeerMessage):
    """One device of a worker; `problem` says why no job is given it, None if it can be used."""

    index: Number
    name: ShortText
    memory_bytes: Step
    # Left out where there is none: an older control plane takes no field that it does not know.
    problem: Annotated[Message | None, Field(exclude_if=lambda problem: problem is None)] = None


class ProcessIdentity(PeerMessage):
    """The identity of a process, by which another process on this kernel can tell if it is alive.

    `boot_id` is `/proc/sys/kernel/random/boot_id`, `pid_namespace` the target of
    `/proc/self/ns/pid`, `started_ticks` the 22nd field of `/proc/<pid>/stat`.
    """

    boot_id: ShortText
    pid_namespace: ShortText
    pid: Number
    started_ticks: Step


class Registration(PeerMessage):
    """`PUT /agent/workers/{id}`: registers a worker; each worker process has a new id.

    A worker may stand for several hosts, of which `host` is its own: `gpus` are then those that
    each host has, and a slot is a host.
    """

    host: ShortText
    process: ProcessIdentity
    gpus: Annotated[tuple[Gpu, ...], CutTo(MOST_GPUS)] = ()
    slots: Annotated[int, Field(ge=1, le=MOST_SLOTS)] = 1
    hosts: Annotated[int, Field(ge=1, le=MOST_SLOTS, exclude_if=lambda hosts: hosts == 1)] = 1
    labels: WorkerLabels = Field(default_factory=dict)
    version: Annotated[str, CutTo(64)] = ""


class Predecessor(PeerMessage):
    """A worker of this boot and pid namespace that has not reported its own end."""

    worker_id: IdText
    process: ProcessIdentity


class RegistrationReply(PeerMessage):
    """The reply to a registration, with the predecessors of the worker.

    The worker reports those that are dead with `POST /agent/workers/{id}/gone`, so that their jobs
    need not wait until the leases expire.
    """

    neighbours: Annotated[tuple[Predecessor, ...], CutTo(_MOST_NEIGHBOURS)] = ()


class WorkerVolume(PeerMessage):
    """`PUT /agent/workers/{id}/volume`: the volume as the worker sees it, after each registration.

    `id` is the line in its file `volume-id`, None without such a file. Sent again when it changes.
    """

    path: PathText
    id: IdText | None = None


class ServerVolume(PeerMessage):
    """The reply to a `WorkerVolume`: the identity of the server's volume, None if it has none.

    A worker whose volume has another identity is quarantined, until it sends this one.
    """

    id: IdText | None = None


class Gone(PeerMessage):
    """`POST /agent/workers/{id}/gone`: the worker and all its processes have ended."""

    message: Message = ""
