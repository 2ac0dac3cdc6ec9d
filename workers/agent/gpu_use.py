"""Measures the use of this worker's GPUs."""

from collections.abc import Callable, Mapping, Sequence

import structlog

from service.contract.samples import MOST_SAMPLED_GPUS, GpuSample
from workers.agent.gpu_reader_process import GpuReaderProcess
from workers.agent.gpu_readings import GpuReading, GpuReadings
from workers.launcher.base import GpuDevice

_ANSWER_SECONDS = 5.0
_PAUSE_SECONDS = 60.0
_log = structlog.get_logger()


class GpuMeter:
    """Measures the GPUs that `devices` gives; all its calls come from one thread.

    A driver that does not answer is logged once and left alone for a minute, and for as long as the
    process that waits for it cannot be ended.
    """

    def __init__(
        self,
        devices: Callable[[], Sequence[GpuDevice]],
        clock: Callable[[], float],
        answer_seconds: float = _ANSWER_SECONDS,
    ) -> None:
        self._devices, self._clock, self._answer_seconds = devices, clock, answer_seconds
        self._process: GpuReaderProcess | None = None
        self._ask_at, self._is_killed, self._is_logged = clock(), False, False

    def measure(self, attempts: Mapping[int, tuple[str, int]]) -> tuple[GpuSample, ...]:
        """A sample of each GPU; `attempts` has job and number by the index of the GPU they use.

        Where the driver does not answer, a sample has the attempt alone.
        """
        devices = self._devices()[:MOST_SAMPLED_GPUS]
        readings = self._readings([device.cuda_name for device in devices if device.cuda_name])
        return tuple(
            _sample(device.index, readings.get(device.cuda_name), attempts) for device in devices
        )

    def _readings(self, names: Sequence[str]) -> Mapping[str, GpuReading]:
        if not names or self._clock() < self._ask_at:
            return {}
        if self._process is not None and self._process.has_ended():
            self._process, self._is_killed = None, False
        if self._is_killed:
            return {}
        try:
            self._process = self._process or GpuReaderProcess()
            answer = self._process.ask(names, self._answer_seconds)
        except (OSError, ValueError) as error:
            answer = GpuReadings(problem=str(error))
            self._leave_alone()
        if answer.problem is not None and not self._is_logged:
            _log.warning("gpu_use_unknown", error=answer.problem)
        self._is_logged = answer.problem is not None
        return answer.readings

    def _leave_alone(self) -> None:
        self._ask_at = self._clock() + _PAUSE_SECONDS
        if self._process is not None:
            self._process.kill()
            self._is_killed = True


def _sample(
    index: int, reading: GpuReading | None, attempts: Mapping[int, tuple[str, int]]
) -> GpuSample:
    job_id, number = attempts.get(index, (None, None))
    values = reading.model_dump() if reading is not None else {}
    return GpuSample(index=index, job_id=job_id, attempt=number, **values)
