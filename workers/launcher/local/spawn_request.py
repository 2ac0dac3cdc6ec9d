"""The messages between the launcher and the warm process."""

from pathlib import Path

from pydantic import BaseModel, ConfigDict

MAX_MESSAGE_BYTES = 1 << 17
"""The most bytes of a message that is read; none is longer."""


class SpawnRequest(BaseModel):
    """The launcher's request to start the ranks of one attempt.

    `environments` has the environment variables of each rank. `threads` is the number of torch's
    CPU threads in each rank; None leaves it to torch. `last_ranks_seconds` is how long the other
    ranks may take to end once one has.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    number: int
    job_id: str
    spec_path: Path
    log_path: Path
    environments: tuple[dict[str, str], ...]
    threads: int | None
    last_ranks_seconds: float

    @property
    def meets_elsewhere(self) -> bool:
        """Whether the ranks are told where to meet those of other hosts."""
        return "MASTER_ADDR" in self.environments[0]

    def number_of(self, local_rank: int) -> int:
        """The number of a rank among all of the attempt, which may be on several hosts."""
        return int(self.environments[local_rank]["RANK"])


class SpawnEnded(BaseModel):
    """The warm process's message that a request's supervisor and all its descendants have ended.

    `number` is that of the request, `status` the supervisor's wait status as of waitpid(2).
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    number: int
    status: int
