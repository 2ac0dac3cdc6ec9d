"""What the agent and the host processes of an attempt say to each other, in lines of text.

A line has less than 1,000 bytes: Slurm splits longer ones, and the parts of two hosts would mix.
"""

from collections.abc import Iterator
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from workers.launcher.process_exit import ProcessExit, RankExit

MASTER = "master"
"""Followed by the address and the port at which all ranks meet: the ranks start."""
RENEW = "renew"
"""Followed by seconds: when so many have passed without another renewal, the ranks are killed."""
SEEN = "seen"
"""Followed by the number of a host whose last report has come: its process may end."""
TERMINATE, DUMP, KILL = "terminate", "dump", "kill"

_RANKS_PER_LINE = 16
_MOST_PROBLEM_CHARACTERS = 300


class HostRequest(BaseModel):
    """The argument of a host process: its share of an attempt, the same for every host.

    `addresses` are those of the hosts, in the order of their numbers. A host finds its own number
    in the environment variable `number_variable`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    worker_id: str
    rank_main: str
    job_id: str
    spec_path: Path
    log_path: Path
    gpus: int
    ranks: int
    addresses: tuple[str, ...]
    number_variable: str


class HostReport(BaseModel):
    """A line of a host process.

    `listening` is where rank 0 will be found. `signalled` says that the host was sent SIGTERM: its
    machine is to be given back. The exits of `ranks` come before the line with `ended`, which is
    the last one: no process of the attempt is left on the host. `cut_off` says that it has killed
    its ranks since its input had ended: neither their job nor the host is at fault.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    host: int
    listening: tuple[str, int] | None = None
    signalled: bool = False
    ranks: tuple[RankExit, ...] = ()
    ended: ProcessExit | None = None
    cut_off: bool = False

    @property
    def line(self) -> str:
        """The report as it is sent."""
        return self.model_dump_json(exclude_defaults=True) + "\n"


def end_reports(host: int, exit_: ProcessExit, *, cut_off: bool = False) -> Iterator[HostReport]:
    """The end of a host's ranks, as the reports that tell of it."""
    for start in range(0, len(exit_.ranks), _RANKS_PER_LINE):
        yield HostReport(host=host, ranks=exit_.ranks[start : start + _RANKS_PER_LINE])
    problem = exit_.problem[:_MOST_PROBLEM_CHARACTERS]
    ended = exit_.model_copy(update={"ranks": (), "problem": problem})
    yield HostReport(host=host, ended=ended, cut_off=cut_off)
