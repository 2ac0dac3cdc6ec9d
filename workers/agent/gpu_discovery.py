"""Lists the GPUs in a process of its own, and tries torch on some in another one."""

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress

from pydantic import TypeAdapter, ValidationError

from workers.agent.gpu_listing import GpuListing
from workers.launcher.base import GpuDevice

LISTING_SECONDS = 30.0
_TRIAL_SECONDS = 120.0
_TRIES = 2
_END_SECONDS = 1.0
_PROBLEMS = TypeAdapter(dict[int, str | None])


def discover_gpus(timeout_seconds: float = LISTING_SECONDS) -> GpuListing:
    """The GPUs of this machine; a driver that hangs or crashes is a problem of the listing."""
    command = [sys.executable, "-m", "workers.agent.gpu_listing", str(os.getpid())]
    problem = ""
    # A launcher that starts anew kills all processes of the worker, this one too.
    for _ in range(_TRIES):
        try:
            return GpuListing.model_validate_json(_output_of(command, timeout_seconds))
        except subprocess.TimeoutExpired:
            problem = f"the NVIDIA driver has not answered for {timeout_seconds:g} s"
            break
        except (subprocess.CalledProcessError, ValidationError) as error:
            problem = f"the NVIDIA driver could not be asked: {str(error).splitlines()[0]}"
    return GpuListing(problem=f"{problem}: try nvidia-smi, and start the machine again")


def gpu_problems(
    gpus: Sequence[GpuDevice], timeout_seconds: float = _TRIAL_SECONDS
) -> Mapping[int, str | None]:
    """By its index why torch cannot use a GPU, None if it can; without those not known."""
    names = [f"{gpu.index}={gpu.cuda_name}" for gpu in gpus]
    command = [sys.executable, "-m", "workers.runs.gpu_trial", str(os.getpid()), *names]
    try:
        return _PROBLEMS.validate_json(_output_of(command, timeout_seconds))
    except (subprocess.SubprocessError, ValidationError):
        return {}


def _output_of(command: Sequence[str], timeout_seconds: float) -> bytes:
    process = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, start_new_session=True
    )
    assert process.stdout is not None
    try:
        output, _ = process.communicate(timeout=timeout_seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        # A call of the driver that hangs in the kernel is not ended by that, and not waited for.
        with suppress(subprocess.TimeoutExpired):
            process.wait(_END_SECONDS)
        process.stdout.close()
        raise
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)
    return output
