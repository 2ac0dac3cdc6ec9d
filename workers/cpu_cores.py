"""How many CPU cores this process may use, and how many of them are a rank's."""

import math
import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from service.contract.control_groups import control_groups, lines_of

RANK_CORES = "TRAINYARD_RANK_CORES"
"""The environment variable by which a launcher tells a rank the number of its cores."""


def available_cores(proc: Path = Path("/proc")) -> int:
    """The cores of this process's affinity, or of its control group's CPU quota if those are fewer.

    A quota of 2.5 cores counts as 2, any smaller one as 1.
    """
    quota = min(_quotas(proc), default=math.inf)
    cores = len(os.sched_getaffinity(0))
    return cores if quota >= cores else max(1, int(quota))


def cores_of_rank(world_size: int, environment: Mapping[str, str] = os.environ) -> int:
    """The cores that a launcher gave this rank, else its even share among the attempt's ranks."""
    given = environment.get(RANK_CORES, "")
    return int(given) if given.isdigit() else max(1, available_cores() // world_size)


def _quotas(proc: Path) -> Iterator[float]:
    for group in control_groups("cpu", proc):
        read = _unified_quota if group.is_unified else _quota
        yield from (quota for folder in group.with_ancestors() for quota in read(folder))


def _unified_quota(folder: Path) -> Iterator[float]:
    # As in "250000 100000"; "max 100000" is no quota.
    for line in lines_of(folder / "cpu.max"):
        quota, _, period = line.partition(" ")
        if quota.isdigit():
            yield int(quota) / int(period)


def _quota(folder: Path) -> Iterator[float]:
    quotas, periods = (lines_of(folder / f"cpu.cfs_{name}_us") for name in ("quota", "period"))
    for quota, period in zip(quotas, periods, strict=False):
        # -1 is no quota.
        if quota.isdigit():
            yield int(quota) / int(period)
