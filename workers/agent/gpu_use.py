"""The use of this worker's GPUs, as the driver's own library (NVML) tells it."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

import pynvml
import structlog

from service.contract.registration import Gpu
from service.contract.samples import MOST_SAMPLED_GPUS, GpuSample

Value = TypeVar("Value")
_log = structlog.get_logger()


class GpuMeter:
    """Measures the GPUs that the worker has registered; no CUDA context is made.

    A driver that cannot be asked is logged once, and asked again at the next measurement.
    """

    def __init__(self, gpus: Sequence[Gpu], nvml: Any = pynvml) -> None:
        self.watch(gpus)
        self._nvml, self._is_ready, self._is_logged = nvml, False, False

    def watch(self, gpus: Sequence[Gpu]) -> None:
        """Measure these from now on."""
        self._indices = [gpu.index for gpu in gpus[:MOST_SAMPLED_GPUS]]

    def measure(self, attempts: Mapping[int, tuple[str, int]]) -> tuple[GpuSample, ...]:
        """A sample of each GPU; `attempts` has job and number by the index of the GPU they use.

        Without the driver a sample has the attempt alone.
        """
        is_ready = bool(self._indices) and self._begin()
        return tuple(self._sample(index, attempts.get(index), is_ready) for index in self._indices)

    def _begin(self) -> bool:
        if self._is_ready:
            return True
        try:
            self._nvml.nvmlInit()
        except self._nvml.NVMLError as error:
            if not self._is_logged:
                _log.warning("gpu_use_unknown", error=str(error))
            self._is_logged = True
            return False
        self._is_ready = True
        return True

    def _sample(self, index: int, attempt: tuple[str, int] | None, is_ready: bool) -> GpuSample:
        job_id, number = attempt or (None, None)
        values = self._values(index) if is_ready else {}
        return GpuSample(index=index, job_id=job_id, attempt=number, **values)

    def _values(self, index: int) -> dict[str, Any]:
        nvml = self._nvml
        handle = self._value(lambda: nvml.nvmlDeviceGetHandleByIndex(index))
        if handle is None:
            return {}
        rates = self._value(lambda: nvml.nvmlDeviceGetUtilizationRates(handle))
        memory = self._value(lambda: nvml.nvmlDeviceGetMemoryInfo(handle))
        sensor = nvml.NVML_TEMPERATURE_GPU
        power = self._value(lambda: nvml.nvmlDeviceGetPowerUsage(handle))
        return {
            "use": rates.gpu / 100 if rates is not None else None,
            "memory_used_bytes": memory.used if memory is not None else None,
            "memory_total_bytes": memory.total if memory is not None else None,
            "temperature_celsius": self._value(
                lambda: nvml.nvmlDeviceGetTemperature(handle, sensor)
            ),
            "power_watts": round(power / 1000) if power is not None else None,
        }

    def _value(self, read: Callable[[], Value]) -> Value | None:
        try:
            return read()
        except self._nvml.NVMLError:
            # A part of a GPU (MIG) has no use of its own, and a GPU may fall off the bus.
            return None
