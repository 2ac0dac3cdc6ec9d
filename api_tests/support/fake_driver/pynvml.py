"""Stands in for nvidia-ml-py in a worker's processes: the driver is the JSON file FAKE_DRIVER.

It has a list of GPUs, or the name of a fault of the whole driver; see `gpu_driver.py`.
"""

import json
import os
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NoReturn

NVML_ERROR_NOT_SUPPORTED, NVML_ERROR_LIBRARY_NOT_FOUND, NVML_ERROR_GPU_IS_LOST = 3, 12, 15
NVML_ERROR_NOT_FOUND = 6
NVML_DEVICE_MIG_ENABLE, NVML_TEMPERATURE_GPU, nvmlMemory_v2 = 1, 0, 2
_TEXTS = {
    3: "Not Supported",
    6: "Not Found",
    12: "NVML Shared Library Not Found",
    15: "GPU is lost",
}


class NVMLError(Exception):
    """An error of the driver, by its number."""

    def __init__(self, value: int) -> None:
        super().__init__(_TEXTS[value])
        self.value = value


def nvmlInit() -> None:
    """Ends, hangs or fails as the file says."""
    _fail()


def nvmlDeviceGetCount() -> int:
    """The GPUs of the file."""
    return len(_driver())


def nvmlDeviceGetHandleByIndex(index: int) -> Any:
    """The GPU itself, as the file has it."""
    gpu = _driver()[index]
    return _lost() if gpu.get("lost") else gpu


def nvmlDeviceGetHandleByUUID(uuid: str) -> Any:
    """The GPU or instance itself; ends, hangs or fails as the file says."""
    _fail()
    devices = [each for gpu in _driver() for each in (gpu, *gpu.get("instances", ()))]
    for device in devices:
        if device["uuid"] == uuid:
            return _lost() if device.get("lost") else device
    raise NVMLError(NVML_ERROR_NOT_FOUND)


def nvmlDeviceGetUUID(gpu: Any) -> str:
    """See the driver's documentation, as of all that follow."""
    return str(gpu["uuid"])


def nvmlDeviceGetName(gpu: Any) -> str:
    return str(gpu["name"])


def nvmlDeviceGetMemoryInfo(gpu: Any, version: int = 1) -> Any:
    assert version in (1, nvmlMemory_v2)
    return SimpleNamespace(used=gpu.get("used", 0), total=gpu["total"])


def nvmlDeviceGetMigMode(gpu: Any) -> list[int]:
    if "instances" not in gpu:
        raise NVMLError(NVML_ERROR_NOT_SUPPORTED)
    return [NVML_DEVICE_MIG_ENABLE, NVML_DEVICE_MIG_ENABLE]


def nvmlDeviceGetMaxMigDeviceCount(_: Any) -> int:
    return 7


def nvmlDeviceGetMigDeviceHandleByIndex(gpu: Any, number: int) -> Any:
    # Instance 0 has been destroyed, as an administrator may do.
    if not 1 <= number <= len(gpu["instances"]):
        raise NVMLError(NVML_ERROR_NOT_FOUND)
    return gpu["instances"][number - 1]


def nvmlDeviceGetUtilizationRates(gpu: Any) -> Any:
    return SimpleNamespace(gpu=_whole(gpu).get("percent", 50))


def nvmlDeviceGetTemperature(gpu: Any, _: int) -> int:
    return int(_whole(gpu).get("celsius", 60))


def nvmlDeviceGetPowerUsage(gpu: Any) -> int:
    return int(_whole(gpu).get("milliwatts", 500_400))


def _whole(gpu: Any) -> Any:
    if gpu["uuid"].startswith("MIG-"):
        raise NVMLError(NVML_ERROR_NOT_SUPPORTED)
    return gpu


def _fail() -> None:
    fault = _driver()
    if fault == "crash":
        os.abort()
    if fault == "hang":
        time.sleep(600)
    if fault == "absent":
        raise NVMLError(NVML_ERROR_LIBRARY_NOT_FOUND)


def _lost() -> NoReturn:
    raise NVMLError(NVML_ERROR_GPU_IS_LOST)


def _driver() -> Any:
    return json.loads(Path(os.environ["FAKE_DRIVER"]).read_text())
