"""The exit statuses of an attempt's ranks, and sentences that describe them."""

import os
import signal

from pydantic import BaseModel, ConfigDict

UNUSABLE_GPU_STATUS = 69
"""The exit status of a rank that cannot use its GPU; EX_UNAVAILABLE of sysexits.h."""
UNUSABLE_GPU = "torch cannot use the GPU"
"""How the last line of that rank's log begins; torch's reason follows a colon."""


class RankExit(BaseModel):
    """The wait status of one rank, as waitpid(2) returns it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    rank: int
    status: int

    @property
    def code(self) -> int:
        """The exit status, or the number of the signal that ended the rank as a negative number."""
        return os.waitstatus_to_exitcode(self.status)

    @property
    def describe(self) -> str:
        """How the rank ended, as one sentence without a full stop."""
        code = self.code
        if code >= 0:
            return f"rank {self.rank} exited with status {code}"
        if self.is_killed:
            return f"rank {self.rank} was killed (signal {-code})"
        return f"rank {self.rank} was killed (signal {-code}, {signal.strsignal(-code)})"

    @property
    def is_killed(self) -> bool:
        """Whether it ended by SIGKILL, which is what the kernel sends where memory runs out."""
        return self.code == -signal.SIGKILL


class ProcessExit(BaseModel):
    """The ranks of an attempt in the order in which they ended.

    `problem` is not empty if they could not be started, or if their statuses are unknown. `overdue`
    is true if they were killed because the agent did not extend their deadline in time,
    `out_of_memory` if the kernel killed one of them, or could not start one, as memory ran out.
    `silent` are the ranks that were killed because they had not ended long after another,
    `lost_hosts` the names of the hosts that ended without a word.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    ranks: tuple[RankExit, ...] = ()
    problem: str = ""
    overdue: bool = False
    out_of_memory: bool = False
    silent: tuple[int, ...] = ()
    lost_hosts: tuple[str, ...] = ()

    @property
    def ranks_without_gpu(self) -> tuple[int, ...]:
        """The ranks that could not use their GPU, in the order in which they ended."""
        return tuple(rank.rank for rank in self.ranks if rank.code == UNUSABLE_GPU_STATUS)

    @property
    def describe(self) -> str:
        """A sentence about the problem, else about the first failed rank, else about the first."""
        if self.problem:
            return self.problem
        ended = [rank for rank in self.ranks if rank.rank not in self.silent] or self.ranks
        first = next((rank for rank in ended if rank.status), ended[0])
        return f"{first.describe}, as memory ran out" if self.out_of_memory else first.describe

    @property
    def silence(self) -> str:
        """A sentence that names the silent ranks, without a full stop; empty without any."""
        if not self.silent:
            return ""
        numbers = ", ".join(map(str, self.silent))
        if len(self.silent) == 1:
            return f"rank {numbers} was silent, and was killed"
        return f"ranks {numbers} were silent, and were killed"
