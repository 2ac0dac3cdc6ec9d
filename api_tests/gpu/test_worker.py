"""A worker's warm process never touches a device, and two attempts share the machine."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from api_tests.support.claims import a_claim
from api_tests.support.devices import DEVICES
from api_tests.support.fake_control_plane import FakeControlPlane
from api_tests.support.worker_process import StartWorker

# Everything by which torch or a library could initialise a driver, made to fail.
WITHOUT_DEVICES = """
import torch

def refuse(*_, **__):
    raise AssertionError("the warm process must not look for a device")

for name in [name for name in dir(torch._C) if name.startswith("_cuda_")]:
    if "init" in name.lower() or "getDevice" in name or name == "_cuda_getDeviceCount":
        setattr(torch._C, name, refuse)
torch.cuda._lazy_init = torch.cuda.is_available = torch.cuda.device_count = refuse
torch.cuda._raw_device_count_nvml = torch.cuda._device_count_nvml = refuse
import pkgutil
from workers.main import RANK_MAIN
pkgutil.resolve_name(RANK_MAIN)
assert not torch.cuda.is_initialized()
"""


def test_what_the_warm_process_imports_looks_for_no_device() -> None:
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_DEVICES], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("device", DEVICES)
def test_two_attempts_at_once_end_well_and_the_warm_process_has_no_device(
    control_plane: FakeControlPlane, start_worker: StartWorker, device: str
) -> None:
    hidden = {"CUDA_VISIBLE_DEVICES": ""} if device == "cpu" else {}
    worker = start_worker("--slots", "2", **hidden)
    warm = worker.titled("warm")
    first = control_plane.offer(a_claim(gpus=int(device == "cuda")))
    second = control_plane.offer(a_claim(job_id="job_2"))
    for held in (first, second):
        report = control_plane.report_of(held)
        assert report.outcome == "succeeded", report.message
    opened = [os.readlink(each) for each in Path(f"/proc/{warm.pid}/fd").iterdir()]
    assert not [path for path in opened if path.startswith("/dev/nvidia")]
    maps = Path(f"/proc/{warm.pid}/maps").read_text()
    assert "libtorch" in maps
    # A context has a device's memory mapped; NVML is loaded by what asks for a device alone.
    assert [name for name in ("/dev/nvidia", "libnvidia-ml") if name in maps] == []
