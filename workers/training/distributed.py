"""The ranks of an attempt: which one this is, and what they exchange."""

import os
import threading
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeVar

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.distributed.distributed_c10d import Store

from service.contract.batch_parts import fitting_parts
from service.contract.counts import count_text
from workers.data.errors import InvalidData
from workers.training.process_group import join_groups, leave_groups

_MEETING_SECONDS = 1.0
_FAILURE_WAIT = timedelta(seconds=5)
_END_WAIT = timedelta(days=1)
"""Longer than a last save may take; a save that hangs is the agent's to end."""
_FAILURE, _END = "failure", "end"
_T = TypeVar("_T")


class RanksNotConnected(Exception):
    """The ranks could not connect; `rank` is the one that says so."""

    def __init__(self, message: str, *, rank: int) -> None:
        super().__init__(message)
        self.rank = rank


@dataclass(frozen=True)
class Ranks:
    """One rank among `world_size`, and its device; alone, every exchange is the value itself.

    What the ranks send each other goes over gloo, which breaks at once when a rank ends; what is on
    CUDA goes over NCCL, in the group `gradients`.
    """

    rank: int
    world_size: int
    device: torch.device
    store: Store | None = None
    gradients: dist.ProcessGroup | None = None

    @property
    def is_first(self) -> bool:
        """Whether this rank writes events and checkpoints."""
        return self.rank == 0

    def share_of(self, batch_size: int) -> int:
        """This rank's part of the global batch; raises InvalidData if it is no whole number."""
        if batch_size % self.world_size:
            below = batch_size // self.world_size * self.world_size
            raise InvalidData(
                f"batch_size {batch_size} cannot be shared by {self.world_size} ranks; "
                f"use {below or self.world_size} or {below + self.world_size}"
            )
        return batch_size // self.world_size

    def part_of(self, batch_size: int, accumulate: int) -> int:
        """The images of this rank's share that are computed at once, in `accumulate` equal parts.

        Raises InvalidData if the share is no such multiple.
        """
        share = self.share_of(batch_size)
        if share % accumulate:
            raise InvalidData(
                f"accumulate {accumulate} does not divide the {count_text(share, 'image')} of each "
                f"rank in equal parts: use {fitting_parts(share, accumulate)}"
            )
        return share // accumulate

    def any(self, flag: bool) -> bool:
        """Whether `flag` is true on any rank; the same answer on each."""
        if self.world_size == 1:
            return flag
        flags = torch.tensor([int(flag)], dtype=torch.int32)
        dist.all_reduce(flags, op=dist.ReduceOp.MAX)
        return bool(flags.item())

    def total(self, sums: Tensor) -> Tensor:
        """The sum over the ranks, on the CPU."""
        sums = sums.detach().cpu()
        if self.world_size > 1:
            sums = sums.clone()
            dist.all_reduce(sums)
        return sums

    def gathered(self, value: _T) -> list[_T]:
        """The values of all ranks, in their order, on each."""
        if self.world_size == 1:
            return [value]
        values: list[_T | None] = [None] * self.world_size
        dist.all_gather_object(values, value)
        return [value for value in values if value is not None]

    @contextmanager
    def apart(self) -> Iterator[None]:
        """Each rank does something alone, for longer than an exchange may wait for it.

        The ranks leave the block together, and exchange nothing in it. Raises RuntimeError after
        it if another rank has ended.
        """
        if self.world_size == 1:
            yield
            return
        done, failed = threading.Event(), threading.Event()

        def meet() -> None:
            while self.any(not done.wait(_MEETING_SECONDS)) and not failed.is_set():
                pass

        with ThreadPoolExecutor(max_workers=1, thread_name_prefix="meeting") as thread:
            meeting = thread.submit(meet)
            try:
                yield
            except BaseException:
                failed.set()
                raise
            finally:
                done.set()
            meeting.result()

    def share_buffers(self, network: nn.Module) -> None:
        """Give every rank the batch-norm statistics of rank 0, which are the ones saved."""
        if self.world_size > 1:
            for buffer in network.buffers():
                dist.broadcast(buffer, src=0, group=self.gradients)

    def report_failure(self, failure: str) -> bool:
        """Store this rank's failure for rank 0; False if the store is closed."""
        if self.store is None:
            return False
        try:
            self.store.set(_FAILURE, failure)
        except RuntimeError:
            # Rank 0 had the store, and has ended: there is nobody to report to.
            return False
        return True

    def reported_failure(self) -> str | None:
        """The failure of the rank that ended the exchange, if it stored one."""
        if self.store is None:
            return None
        try:
            self.store.wait([_FAILURE], _FAILURE_WAIT)
            failure: bytes = self.store.get(_FAILURE)
        except RuntimeError:
            return None
        return failure.decode()

    def let_others_end(self) -> None:
        """Have the ranks return that wait for this one, the first."""
        if self.store is not None:
            self.store.set(_END, "")

    def wait_for_first(self) -> None:
        """Return once rank 0 lets the others end, or has ended.

        So that a rank which still runs long after another one has ended is one that hangs.
        """
        if self.store is None or self.is_first:
            return
        # Rank 0 has the store: without it there is nobody to wait for.
        with suppress(RuntimeError):
            self.store.wait([_END], _END_WAIT)


@contextmanager
def joined(environment: Mapping[str, str] = os.environ) -> Iterator[Ranks]:
    """Join the ranks that RANK, WORLD_SIZE, LOCAL_RANK, MASTER_ADDR and MASTER_PORT describe.

    Rank 0 listens on the socket that its launcher opened, else at MASTER_PORT. Without WORLD_SIZE,
    or with 1, there is nobody to join.
    """
    device = _device(int(environment.get("LOCAL_RANK", "0")))
    if int(environment.get("WORLD_SIZE", "1")) == 1:
        yield Ranks(rank=0, world_size=1, device=device)
        return
    try:
        groups = join_groups(device)
    except (RuntimeError, ValueError) as error:
        message = f"the ranks could not meet: {error}"
        raise RanksNotConnected(message, rank=int(environment.get("RANK", "0"))) from error
    try:
        yield Ranks(
            rank=groups.rank,
            world_size=groups.world_size,
            device=device,
            store=groups.store,
            gradients=groups.gradients,
        )
    finally:
        leave_groups()


def _device(local_rank: int) -> torch.device:
    if not torch.cuda.is_available():
        return torch.device("cpu")
    # A launcher may leave a rank only its own device to see.
    device = torch.device("cuda", local_rank % torch.cuda.device_count())
    torch.cuda.set_device(device)
    return device
