"""The use of GPUs, as the driver's own library (NVML) tells it; no CUDA context is made.

`python -m workers.agent.gpu_readings AGENT_PID` answers each line of names with a line of readings:
a driver that hangs or crashes takes that process alone.
"""

import sys
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import pynvml
from pydantic import BaseModel, ConfigDict, TypeAdapter
from setproctitle import setproctitle

from service.contract.kernel import die_with_parent
from service.contract.process_title import process_title

Value = TypeVar("Value")
NAMES = TypeAdapter(list[str])


class GpuReading(BaseModel):
    """What the driver tells of a GPU now; None where it does not."""

    model_config = ConfigDict(frozen=True)

    use: float | None = None
    memory_used_bytes: int | None = None
    memory_total_bytes: int | None = None
    temperature_celsius: float | None = None
    power_watts: int | None = None


class GpuReadings(BaseModel):
    """Readings by the GPUs' UUIDs, without those that have none; `problem` if the driver has none.

    An instance of a GPU (MIG) has memory, and no use, heat or power of its own.
    """

    model_config = ConfigDict(frozen=True)

    readings: dict[str, GpuReading] = {}
    problem: str | None = None


class GpuReader:
    """Asks the driver; one that was loaded anew meanwhile answers from the next time on."""

    def __init__(self, nvml: Any = pynvml) -> None:
        self._nvml, self._is_ready = nvml, False

    def read(self, names: Sequence[str]) -> GpuReadings:
        """The readings of the GPUs with these UUIDs."""
        try:
            if not self._is_ready:
                self._nvml.nvmlInit()
        except self._nvml.NVMLError as error:
            return GpuReadings(problem=str(error))
        handles = {name: self._handle(name) for name in names}
        readings = {name: self._reading(gpu) for name, gpu in handles.items() if gpu is not None}
        self._is_ready = bool(readings)
        return GpuReadings(readings=readings)

    def _handle(self, name: str) -> Any:
        return self._value(lambda: self._nvml.nvmlDeviceGetHandleByUUID(name))

    def _reading(self, handle: Any) -> GpuReading:
        nvml = self._nvml
        rates = self._value(lambda: nvml.nvmlDeviceGetUtilizationRates(handle))
        memory = self._value(lambda: nvml.nvmlDeviceGetMemoryInfo(handle))
        sensor = nvml.NVML_TEMPERATURE_GPU
        heat = self._value(lambda: nvml.nvmlDeviceGetTemperature(handle, sensor))
        power = self._value(lambda: nvml.nvmlDeviceGetPowerUsage(handle))
        return GpuReading(
            use=rates.gpu / 100 if rates is not None else None,
            memory_used_bytes=memory.used if memory is not None else None,
            memory_total_bytes=memory.total if memory is not None else None,
            temperature_celsius=heat,
            power_watts=round(power / 1000) if power is not None else None,
        )

    def _value(self, read: Callable[[], Value]) -> Value | None:
        try:
            return read()
        except self._nvml.NVMLError:
            # An instance has no use of its own, and a GPU may fall off the bus.
            return None


def main() -> int:
    """Answer the agent whose pid is the argument, until it closes the pipe."""
    die_with_parent(int(sys.argv[1]))
    setproctitle(process_title("gpu-use"))
    reader = GpuReader()
    for line in sys.stdin:
        answer = reader.read(NAMES.validate_json(line))
        sys.stdout.write(answer.model_dump_json() + "\n")
        sys.stdout.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())
