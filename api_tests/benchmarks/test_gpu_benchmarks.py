"""The benchmarks of CUDA in their short form on the CPU, and what `make gpu` needs."""

import subprocess
import sys
from pathlib import Path

import pytest
import torch

from benchmarks.gpu import save_stall, training
from benchmarks.gpu.packages import missing, requirements_of

ROOT = Path(__file__).parents[2]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.skipif(torch.cuda.is_available(), reason="make gpu runs them on the device")
def test_every_loop_is_measured_on_every_kind_of_data() -> None:
    section = training.measure()
    assert [row[:2] for row in section.rows] == [
        ("original loop", "synthetic"),
        ("original loop", "JPEG files"),
        ("ours, eager", "synthetic"),
        ("ours, tuned", "synthetic"),
        ("ours, tuned", "JPEG files"),
        ("ours, tuned", "a pack"),
    ]
    assert all(float(row[2]) > 0 for row in section.rows)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.skipif(torch.cuda.is_available(), reason="make gpu runs them on the device")
def test_the_stall_of_a_save_is_measured_by_the_call_and_the_step_after_it() -> None:
    section = save_stall.measure()
    assert [len(row) for row in section.rows] == [3]


def test_without_a_cuda_device_nothing_is_measured_and_the_exit_code_is_2() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.gpu"],
        cwd=ROOT,
        env={"CUDA_VISIBLE_DEVICES": "", "PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "torch finds no CUDA device: nothing was measured" in done.stderr


def test_what_is_installed_is_not_installed_again() -> None:
    needed = requirements_of(ROOT / "pyproject.toml")
    assert any(each.startswith("torch") for each in needed)
    assert missing([*needed, "no-such-package>=1"]) == ["no-such-package>=1"]
