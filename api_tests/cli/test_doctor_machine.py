"""The doctor: what is wrong with this machine, its disks, limits, ports and GPUs."""

import json
import os
import shlex
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from api_tests.support.doctor import Look, assert_problem
from service.cli.doctor.check import Status
from service.cli.exit_codes import ExitCode


def _can_mount() -> bool:
    tried = ["unshare", "-rm", "mount", "-t", "tmpfs", "none", "/mnt"]
    return (
        bool(shutil.which("unshare")) and not subprocess.run(tried, capture_output=True).returncode
    )


def test_a_disk_that_is_nearly_full_and_low_limits_are_found(nobody: str, tmp_path: Path) -> None:
    if not _can_mount():
        pytest.skip("this user cannot mount a file system of its own")
    yard = tmp_path / "yard"
    (yard / "volume").mkdir(parents=True)
    inside = (
        f"mount -t tmpfs -o size=4m none {yard}/volume && head -c 4000000 /dev/zero > "
        f"{yard}/volume/x; mount -t tmpfs -o size=64m none /dev/shm; ulimit -n 256"
    )
    command = shlex.join([sys.executable, "-m", "service.cli", "doctor", "--json"])
    script = f"{inside}\nexec {command} --data-dir {yard} --server {nobody}"
    ran = subprocess.run(["unshare", "-rm", "sh", "-c", script], capture_output=True)
    found = {each["name"]: each for each in map(json.loads, ran.stdout.splitlines())}
    assert found["disk space"]["status"] == "problem", ran.stderr
    assert "of 4.19 MB are free" in found["disk space"]["detail"]
    assert found["limits"]["status"] == "warning"
    assert "256 open files (ulimit -n 4096)" in found["limits"]["detail"]
    assert found["shared memory"]["status"] == "warning"
    assert ran.returncode == ExitCode.FAILED


@pytest.fixture
def nvidia_smi(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Puts a program of this name and body on the path."""

    def put(body: str) -> None:
        folder = tmp_path / "bin"
        folder.mkdir(exist_ok=True)
        (folder / "nvidia-smi").write_text(f"#!/bin/sh\n{body}\n")
        (folder / "nvidia-smi").chmod(0o755)
        monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")

    return put


def test_a_torch_that_cannot_use_the_gpu_is_found(
    look: Look, nvidia_smi: Callable[[str], None]
) -> None:
    nvidia_smi("echo 'NVIDIA H100, 999.1'; echo 'NVIDIA H100, 999.1'")
    told = "sees no CUDA, although the driver lists 2 GPUs (NVIDIA H100, driver 999.1): "
    assert_problem(look("torch"), told)
    # torch's own reason, of a machine without the driver, and what to do.
    assert "NVIDIA driver" in look("torch").detail
    assert "NVIDIA Container Toolkit" in str(look("torch").cure)
    nvidia_smi("echo 'NVIDIA-SMI has failed'; exit 9")
    assert_problem(look("torch"), "NVIDIA-SMI has failed")


def test_another_program_on_a_gpu_is_found(look: Look, nvidia_smi: Callable[[str], None]) -> None:
    with subprocess.Popen(["sleep", "600"]) as stranger:
        nvidia_smi(f"echo '{stranger.pid}, 1234'")
        assert_problem(look("GPU processes"), "sleep 600 (process ", Status.WARNING)
        stranger.terminate()


def test_a_port_in_use_is_found(look: Look) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        assert_problem(look("port", PORT=port), f"cannot listen on 127.0.0.1:{port}")
