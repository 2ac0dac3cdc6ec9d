"""The exit statuses of an attempt's ranks, and sentences that describe them."""

import os
import signal

from pydantic import BaseModel, ConfigDict


class RankExit(BaseModel):
    """The wait status of one rank, as waitpid(2) returns it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    rank: int
    status: int

    @property
    def describe(self) -> str:
        """How the rank ended and what may help, as one sentence without a full stop."""
        code = os.waitstatus_to_exitcode(self.status)
        if code >= 0:
            return f"rank {self.rank} exited with status {code}"
        sentence = f"rank {self.rank} was killed by {signal.Signals(-code).name}"
        if -code == signal.SIGKILL:
            sentence += "; if the machine ran out of memory, use a smaller batch_size"
        return sentence


class ProcessExit(BaseModel):
    """The ranks of an attempt in the order in which they ended.

    `problem` is not empty if they could not be started, or if their statuses are unknown. `overdue`
    is true if they were killed because the agent did not extend their deadline in time.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    ranks: tuple[RankExit, ...] = ()
    problem: str = ""
    overdue: bool = False

    @property
    def describe(self) -> str:
        """A sentence about the problem, else about the first failed rank, else about the first."""
        if self.problem:
            return self.problem
        first = next((rank for rank in self.ranks if rank.status), self.ranks[0])
        return first.describe
