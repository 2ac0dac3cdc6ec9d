"""How the ranks of an attempt ended."""

import os
import signal

from pydantic import BaseModel, ConfigDict


class RankExit(BaseModel):
    """One rank's wait status, as waitpid(2) gives it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    rank: int
    status: int

    @property
    def describe(self) -> str:
        """What happened, and what helps, in one sentence without a full stop."""
        code = os.waitstatus_to_exitcode(self.status)
        if code >= 0:
            return f"rank {self.rank} exited with status {code}"
        said = f"rank {self.rank} was killed by {signal.Signals(-code).name}"
        if -code == signal.SIGKILL:
            said += "; if the machine ran out of memory, use a smaller batch_size"
        return said


class ProcessExit(BaseModel):
    """The ranks in the order they ended; `problem` is what kept them from being started or seen.

    `overdue` if they were ended because their agent did not say in time that it holds the lease.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    ranks: tuple[RankExit, ...] = ()
    problem: str = ""
    overdue: bool = False

    @property
    def describe(self) -> str:
        """What ended the attempt: a problem, else the first rank that failed, else the first."""
        if self.problem:
            return self.problem
        first = next((rank for rank in self.ranks if rank.status), self.ranks[0])
        return first.describe
