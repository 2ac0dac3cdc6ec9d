"""Samples of the use of this host, of its volume's disk and of its GPUs, for the heartbeats."""

import threading
from collections.abc import Callable, Mapping
from pathlib import Path

import psutil
import structlog

from service.contract.loop import Loop
from service.contract.samples import Sample
from workers.agent.gpu_use import GpuMeter

SAMPLE_SECONDS = 10.0
_DISK_SECONDS = 30.0
_log = structlog.get_logger()


class Sampler:
    """Measures every ten seconds in a thread of its own; no heartbeat waits for it.

    `attempts_of_gpus` gives job and number of the attempt by the index of each GPU in use.
    """

    def __init__(
        self,
        volume: Path,
        gpus: GpuMeter,
        attempts_of_gpus: Callable[[], Mapping[int, tuple[str, int]]],
        clock: Callable[[], float],
        every_seconds: float = SAMPLE_SECONDS,
    ) -> None:
        self._disk = VolumeDisk(volume, clock)
        self._gpus, self._attempts_of_gpus = gpus, attempts_of_gpus
        self._newest: Sample | None = None
        self.last: Sample | None = None
        """The newest sample, whether it was taken or not."""
        self._has_cpu_times = False
        self._lock = threading.Lock()
        outages = (OSError, psutil.Error)
        self._loop = Loop("samples", every_seconds, self._measure, log=_log, outages=outages)

    def start(self) -> None:
        """Begin to measure, until the process ends."""
        self._disk.start()
        self._loop.start()

    def take(self) -> Sample | None:
        """The newest sample, once; None if it was taken before."""
        with self._lock:
            newest, self._newest = self._newest, None
        return newest

    def _measure(self) -> None:
        memory = psutil.virtual_memory()
        # The part of the time since the call before: the first one has none.
        percent = psutil.cpu_percent(interval=None)
        used, total = self._disk.newest() or (None, None)
        sample = Sample(
            cpu_use=percent / 100 if self._has_cpu_times else None,
            memory_used_bytes=memory.total - memory.available,
            memory_total_bytes=memory.total,
            disk_used_bytes=used,
            disk_total_bytes=total,
            gpus=self._gpus.measure(self._attempts_of_gpus()),
        )
        self._has_cpu_times = True
        with self._lock:
            self._newest = self.last = sample


class VolumeDisk:
    """Measures the disk of a volume in a thread of its own, since a volume may hang."""

    def __init__(self, volume: Path, clock: Callable[[], float]) -> None:
        self._volume, self._clock = volume, clock
        self._newest: tuple[int, int] | None = None
        self._measured_at = 0.0
        self._loop = Loop("volume-disk", _DISK_SECONDS, self._measure, log=_log, outages=(OSError,))

    def start(self) -> None:
        """Begin to measure, until the process ends."""
        self._loop.start()

    def newest(self) -> tuple[int, int] | None:
        """The used bytes, and all that a user can use; None if the volume did not answer lately."""
        is_new = self._clock() - self._measured_at < 3 * _DISK_SECONDS
        return self._newest if is_new else None

    def _measure(self) -> None:
        usage = psutil.disk_usage(str(self._volume))
        # What is kept back for the superuser is of no use to a job.
        self._newest, self._measured_at = (usage.used, usage.used + usage.free), self._clock()
