"""The list of this machine's GPUs, as the driver's library (NVML) gives it.

`python -m workers.agent.gpu_listing AGENT_PID` prints it as JSON: a driver that hangs or crashes
takes that process alone.
"""

import os
import sys
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import pynvml
from pydantic import BaseModel, ConfigDict

from service.contract.kernel import die_with_parent

_INSTANCE_INDICES = 100
"""So many indices are kept for the instances (MIG) of each GPU, after those of whole GPUs."""
Value = TypeVar("Value")


class ListedGpu(BaseModel):
    """A GPU, or an instance of one (MIG); `problem` says why it cannot be given out.

    `uuid` is its name for CUDA_VISIBLE_DEVICES; empty if the driver does not tell.
    `used_bytes` is the memory that programs use, None if the driver does not tell.
    """

    model_config = ConfigDict(frozen=True)

    index: int
    uuid: str = ""
    name: str = "unknown"
    memory_bytes: int = 0
    used_bytes: int | None = None
    problem: str | None = None


class GpuListing(BaseModel):
    """All GPUs in the order of their PCI buses; `problem` says why the driver gives no list.

    `has_driver` is false on a machine without a driver of NVIDIA.
    """

    model_config = ConfigDict(frozen=True)

    gpus: tuple[ListedGpu, ...] = ()
    problem: str | None = None
    has_driver: bool = True


def parent_index(index: int) -> int | None:
    """The index of the GPU of which an instance with this index is a part; None for a GPU."""
    return index // _INSTANCE_INDICES - 1 if index >= _INSTANCE_INDICES else None


def list_gpus(nvml: Any = pynvml) -> GpuListing:
    """Every GPU by its own handle: the errors of one hide no other."""
    try:
        nvml.nvmlInit()
        count = nvml.nvmlDeviceGetCount()
    except nvml.NVMLError as error:
        if getattr(error, "value", None) == nvml.NVML_ERROR_LIBRARY_NOT_FOUND:
            return GpuListing(has_driver=False)
        return GpuListing(problem=f"the NVIDIA driver lists no GPU: {error}")
    return GpuListing(gpus=tuple(gpu for index in range(count) for gpu in _gpus_of(nvml, index)))


def _gpus_of(nvml: Any, index: int) -> Iterator[ListedGpu]:
    try:
        handle = nvml.nvmlDeviceGetHandleByIndex(index)
        uuid = str(nvml.nvmlDeviceGetUUID(handle))
    except nvml.NVMLError as error:
        yield ListedGpu(index=index, problem=_loss(nvml, error))
        return
    gpu = _listed(nvml, handle, index, uuid)
    mode = _value(nvml, lambda: nvml.nvmlDeviceGetMigMode(handle))
    if gpu.problem is not None or mode is None or mode[0] != nvml.NVML_DEVICE_MIG_ENABLE:
        yield gpu
        return
    instances = list(_instances(nvml, handle, index))
    if not instances:
        problem = (
            "it is in MIG mode and has no instances: make some (nvidia-smi mig -cgi PROFILE -C), "
            "or end the mode (nvidia-smi -mig 0)"
        )
        yield gpu.model_copy(update={"problem": problem})
    yield from instances


def _instances(nvml: Any, handle: Any, index: int) -> Iterator[ListedGpu]:
    most = _value(nvml, lambda: nvml.nvmlDeviceGetMaxMigDeviceCount(handle)) or 0
    for number in range(most):
        try:
            instance = nvml.nvmlDeviceGetMigDeviceHandleByIndex(handle, number)
            uuid = str(nvml.nvmlDeviceGetUUID(instance))
        except nvml.NVMLError:
            # The numbers have gaps.
            continue
        yield _listed(nvml, instance, _INSTANCE_INDICES * (index + 1) + number, uuid)


def _listed(nvml: Any, handle: Any, index: int, uuid: str) -> ListedGpu:
    name = _value(nvml, lambda: nvml.nvmlDeviceGetName(handle))
    try:
        memory = _memory(nvml, handle)
    except nvml.NVMLError as error:
        # A device that shares the machine's memory states none.
        is_lost = getattr(error, "value", None) == nvml.NVML_ERROR_GPU_IS_LOST
        problem = _loss(nvml, error) if is_lost else None
        return ListedGpu(index=index, uuid=uuid, name=str(name or "unknown"), problem=problem)
    return ListedGpu(
        index=index,
        uuid=uuid,
        name=str(name or "unknown"),
        memory_bytes=memory.total,
        used_bytes=memory.used,
    )


def _memory(nvml: Any, handle: Any) -> Any:
    try:
        # The first version counts what the driver keeps for itself as used.
        return nvml.nvmlDeviceGetMemoryInfo(handle, version=nvml.nvmlMemory_v2)
    except nvml.NVMLError:
        return nvml.nvmlDeviceGetMemoryInfo(handle)


def _loss(nvml: Any, error: Exception) -> str:
    if getattr(error, "value", None) == nvml.NVML_ERROR_GPU_IS_LOST:
        return f"the driver has lost it ({error}): reset it, or start the machine again"
    return f"the driver gives no access to it: {error}"


def _value(nvml: Any, read: Callable[[], Value]) -> Value | None:
    try:
        return read()
    except nvml.NVMLError:
        return None


def main() -> int:
    """Print the listing for the agent whose pid is the argument."""
    die_with_parent(int(sys.argv[1]))
    os.write(1, list_gpus().model_dump_json().encode())
    return 0


if __name__ == "__main__":
    sys.exit(main())
