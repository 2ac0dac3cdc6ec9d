"""The GPUs of this machine, as nvidia-smi lists them: no driver is loaded into the agent."""

import os
import shutil
import subprocess

import structlog

from service.contract.registration import Gpu

_QUERY = ("--query-gpu=index,name,memory.total", "--format=csv,noheader,nounits")
_MIB = 1 << 20
_log = structlog.get_logger()


def visible_gpus() -> tuple[Gpu, ...]:
    """Every GPU, or those that CUDA_VISIBLE_DEVICES names; none without nvidia-smi."""
    chosen = os.environ.get("CUDA_VISIBLE_DEVICES")
    if chosen == "" or shutil.which("nvidia-smi") is None:
        return ()
    only = [f"--id={chosen}"] if chosen is not None else []
    try:
        listed = subprocess.run(
            ["nvidia-smi", *only, *_QUERY], capture_output=True, text=True, timeout=60, check=True
        )
    except (OSError, subprocess.SubprocessError) as error:
        _log.warning("gpus_unknown", error=str(error), output=getattr(error, "stdout", None))
        return ()
    return tuple(_gpu(line) for line in listed.stdout.splitlines() if line.strip())


def _gpu(line: str) -> Gpu:
    index, name, memory_mib = (field.strip() for field in line.split(","))
    # A device that shares the machine's memory states none.
    memory = int(memory_mib) * _MIB if memory_mib.isdigit() else 0
    return Gpu(index=int(index), name=name, memory_bytes=memory)
