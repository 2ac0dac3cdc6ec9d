"""The machine that a benchmark ran on, and the versions of what it measured."""

import os
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import psutil
from pydantic.dataclasses import dataclass

_MEASURED = ("torch", "torchvision", "numpy", "fastapi", "pydantic", "sqlalchemy", "uvicorn")


@dataclass(frozen=True)
class Machine:
    """Processor, cores, memory, and the load that others put on it before the run began."""

    processor: str
    cores: int
    memory_gib: int
    load: float

    def __str__(self) -> str:
        return (
            f"{self.processor}, {self.cores} cores, {self.memory_gib} GiB, "
            f"load {self.load:.1f} before it began"
        )

    def is_like(self, other: "Machine") -> bool:
        """Whether absolute figures of the two may be compared."""
        return (self.processor, self.cores) == (other.processor, other.cores)


def this_machine() -> Machine:
    """The machine and its load of the last minute."""
    return Machine(
        processor=_processor(),
        cores=os.cpu_count() or 1,
        memory_gib=round(psutil.virtual_memory().total / 2**30),
        load=round(os.getloadavg()[0], 1),
    )


def versions() -> dict[str, str]:
    """Python's, and those of the packages that the figures depend on."""
    installed = {"python": platform.python_version()}
    for package in _MEASURED:
        try:
            installed[package] = version(package)
        except PackageNotFoundError:
            continue
    return installed


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.machine()
