"""The process groups of an attempt's ranks: what they send each other, and how long they wait."""

import os
import threading
from dataclasses import dataclass
from datetime import timedelta
from queue import Empty, SimpleQueue
from typing import cast

import torch
import torch.distributed as dist
from torch.distributed import ProcessGroup
from torch.distributed.distributed_c10d import Store
from torch.distributed.rendezvous import rendezvous

from workers.rendezvous import master_fd

# Longer than a network volume may hang under a save, much shorter than torch's half hour.
TIMEOUT = timedelta(minutes=3)
_NCCL_TIMEOUTS = 2
"""NCCL waits so many times as long as gloo.

The ranks exchange something over gloo in each step. There a rank that waits in vain for another has
an error to report; NCCL, whose exchange of the same step began earlier, would kill the process.
"""
_MEETINGS = 2
"""A rank waits so many times TIMEOUT for rank 0: it may take one to listen, and one to answer."""
_LEAVE_SECONDS = 5.0
"""Longer than ranks that are all there need to leave their groups."""


@dataclass(frozen=True)
class JoinedGroups:
    """This rank's place among `world_size`, the store that all share, and the groups.

    `gradients` is the group of the devices; None for the default one, which is on the CPU.
    """

    rank: int
    world_size: int
    store: Store
    gradients: ProcessGroup | None


def join_groups(device: torch.device) -> JoinedGroups:
    """Join the other ranks; raises RuntimeError and ValueError, also where one does not come."""
    store, rank, world_size = _store()
    dist.init_process_group("gloo", store=store, rank=rank, world_size=world_size, timeout=TIMEOUT)
    gradients = None
    if device.type == "cuda":
        # A group of its own, since one with two backends has one timeout for both.
        group = dist.new_group(backend="nccl", timeout=_NCCL_TIMEOUTS * TIMEOUT)
        gradients = cast(ProcessGroup, group)
    return JoinedGroups(rank, world_size, store, gradients)


def leave_groups() -> None:
    """Leave the groups, as far as that is done in a few seconds."""
    # NCCL waits here for every rank: one that hangs must not keep this one from its end.
    leave = threading.Thread(target=dist.destroy_process_group, name="leave", daemon=True)
    leave.start()
    leave.join(_LEAVE_SECONDS)


def _first_answer() -> tuple[Store, int, int]:
    """The store once rank 0 answers; raises RuntimeError if it does not in time."""
    # Where a launcher listens for it, a rank 0 that hangs is connected to, and never answers: that
    # is waited for without a limit.
    answers: SimpleQueue[tuple[Store, int, int] | Exception] = SimpleQueue()

    def ask() -> None:
        try:
            answers.put(next(rendezvous("env://", timeout=TIMEOUT)))
        except Exception as error:
            answers.put(error)

    threading.Thread(target=ask, name="meet", daemon=True).start()
    try:
        answer = answers.get(timeout=_MEETINGS * TIMEOUT.total_seconds())
    except Empty:
        raise RuntimeError(f"rank 0 has not answered for {_MEETINGS * TIMEOUT}") from None
    if isinstance(answer, Exception):
        raise answer
    return answer


def _store() -> tuple[Store, int, int]:
    listening = master_fd()
    if listening is None:
        return _first_answer()
    host, port = os.environ["MASTER_ADDR"], int(os.environ["MASTER_PORT"])
    world_size = int(os.environ["WORLD_SIZE"])
    store = dist.TCPStore(  # type: ignore[attr-defined]
        host, port, world_size, is_master=True, timeout=TIMEOUT, master_listen_fd=listening
    )
    return store, 0, world_size
