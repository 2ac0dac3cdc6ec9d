"""Ways to do the same work that take turns in one process, each timed by wall and CPU time."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from statistics import median


@dataclass
class Timings:
    """The seconds of each turn of one way: of the clock, and of the process on all its cores."""

    wall: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)

    @property
    def seconds(self) -> float:
        """The median turn of the clock."""
        return median(self.wall)

    @property
    def cpu_seconds(self) -> float:
        """The median turn's CPU time."""
        return median(self.cpu)

    def time(self, work: Callable[[], object]) -> None:
        """Do the work once more, and note what it took."""
        wall, cpu = time.perf_counter(), time.process_time()
        work()
        self.cpu.append(time.process_time() - cpu)
        self.wall.append(time.perf_counter() - wall)


def in_turn(
    ways: Mapping[str, Callable[[], object]], rounds: int, *, warm: int = 1
) -> dict[str, Timings]:
    """Each way once a round, `warm` rounds of which are not counted."""
    timings = {name: Timings() for name in ways}
    for round_ in range(warm + rounds):
        for name, work in ways.items():
            (timings[name] if round_ >= warm else Timings()).time(work)
    return timings
