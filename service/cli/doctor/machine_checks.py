"""Checks of this machine: torch and its GPUs, the port, cores, limits of processes."""

import json
import os
import resource
import shutil
import socket
import subprocess
import sys
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

from service.cli.doctor.check import Check, Finding, ok, problem, skipped, warning
from service.cli.doctor.installation import Installation
from service.cli.figures import size
from service.client import Client, TrainyardError
from service.contract.counts import count_text

_TORCH = """
import json, os, torch
try:
    torch.zeros(1, device="cuda")
    problem = None
except Exception as error:
    problem = str(error).split("\\n")[0]
found = [torch.__version__, torch.version.cuda, torch.cuda.device_count(), problem]
os.write(1, json.dumps(found).encode())
"""
_TORCH_SECONDS = 120.0
_OPEN_FILES, _PROCESSES = 4096, 1024
_SHARED_BYTES = 256_000_000


def _torch(_: Installation) -> Finding:
    if find_spec("torch") is None:
        return skipped("torch is not installed: this machine runs no worker")
    try:
        gpus = _query("--query-gpu=name,driver_version")
    except subprocess.SubprocessError as error:
        return problem(f"nvidia-smi fails ({error})", "install or load the driver of NVIDIA again")
    command = [sys.executable, "-c", _TORCH]
    try:
        ran = subprocess.run(command, capture_output=True, text=True, timeout=_TORCH_SECONDS)
        version, cuda, count, reason = json.loads(ran.stdout)
    except (subprocess.TimeoutExpired, ValueError):
        return problem(
            "torch cannot be imported", "install it again: pip install --force-reinstall torch"
        )
    if not gpus:
        return ok(f"torch {version}; this machine shows no GPU, and trains on the CPU")
    driver = f"{gpus[0][0]}, driver {gpus[0][1]}"
    if cuda is None:
        return problem(
            f"torch {version} has no CUDA, and this machine has a GPU ({driver})",
            "install the build for CUDA: docs/gpu.md",
        )
    if reason is not None:
        listed = count_text(len(gpus), "GPU")
        return problem(
            f"torch {version} for CUDA {cuda} sees no CUDA, although the driver lists {listed} "
            f"({driver}): {reason}",
            f"install a driver for CUDA {cuda}, or a torch for the driver's CUDA; in a container "
            "install the NVIDIA Container Toolkit and start it with --gpus all: docs/gpu.md",
        )
    return ok(f"torch {version} for CUDA {cuda} sees {count_text(count, 'GPU')} ({driver})")


def _gpu_processes(_: Installation) -> Finding:
    if shutil.which("nvidia-smi") is None:
        return skipped("this machine has no nvidia-smi")
    try:
        rows = _query("--query-compute-apps=pid,used_memory")
    except subprocess.SubprocessError as error:
        return skipped(f"nvidia-smi fails ({error})")
    strangers = [
        f"{_title(pid)} (process {pid}, {memory} MiB)"
        for pid, memory in (row[:2] for row in rows)
        if not _title(pid).startswith("trainyard")
    ]
    if strangers:
        return warning(
            f"the GPUs are shared with {', '.join(strangers)}",
            "end them, or keep the worker off their GPU by CUDA_VISIBLE_DEVICES",
        )
    return ok("no other program computes on the GPUs")


def _port(installation: Installation) -> Finding:
    if not installation.is_here:
        return skipped("this machine has no folders of a server")
    port = int(installation.environ.get("TRAINYARD_PORT") or installation.port)
    host = installation.environ.get("TRAINYARD_HOST") or "127.0.0.1"
    if installation.answer.error is None:
        return ok(f"port {port} is the server's")
    try:
        with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host, port))
    except OSError as error:
        return problem(
            f"a server cannot listen on {host}:{port} ({error.strerror}): another program has it",
            "end that program (`ss -ltnp` names it), or choose another --port",
        )
    return ok(f"port {port} is free for a server")


def _loaders(installation: Installation) -> Finding:
    cores = len(os.sched_getaffinity(0))
    if installation.answer.token_status != 200:
        return ok(f"{count_text(cores, 'core')}; no server tells what runs here")
    try:
        with Client(installation.server, installation.token) as client:
            here = [worker for worker in client.workers() if worker.host == socket.gethostname()]
            ids = [job_id for worker in here for job_id in worker.jobs]
            running = [(client.job(job_id), client.attempts(job_id)[-1:]) for job_id in ids]
    except TrainyardError as error:
        return skipped(f"the server does not tell what runs here: {error}")
    loaders = sum(
        _loader_count(job.spec.model_dump(mode="json"), [each.gpu_count for each in newest])
        for job, newest in running
    )
    if loaders > cores:
        return warning(
            f"the jobs here have {loaders} loader processes for {count_text(cores, 'core')}",
            "set their parameter data_workers to auto, or run fewer at once (--slots)",
        )
    return ok(f"{count_text(cores, 'core')} for {loaders} loader processes that jobs ask for")


def _limits(_: Installation) -> Finding:
    files, _hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    processes, _hard = resource.getrlimit(resource.RLIMIT_NPROC)
    few = []
    if 0 <= files < _OPEN_FILES:
        few.append(f"{files} open files (ulimit -n {_OPEN_FILES})")
    if 0 <= processes < _PROCESSES:
        few.append(f"{processes} processes (ulimit -u {_PROCESSES})")
    if few:
        return warning(
            f"this user may have only {' and '.join(few)}",
            "raise it as the brackets say, in limits.conf or LimitNOFILE= of the service",
        )
    return ok("open files and processes are not limited too tightly")


def _shared_memory(_: Installation) -> Finding:
    folder = Path("/dev/shm")
    if not folder.is_dir():
        return skipped("this machine has no /dev/shm")
    total = shutil.disk_usage(folder).total
    if total < _SHARED_BYTES:
        return warning(
            f"/dev/shm has {size(total)}, too little for loader processes and several ranks",
            "start the container with --shm-size=1g or more",
        )
    return ok(f"/dev/shm has {size(total)}")


def _loader_count(spec: dict[str, object], given_gpus: Sequence[int | None]) -> int:
    params, resources = spec.get("params"), spec.get("resources")
    count = params.get("data_workers") if isinstance(params, dict) else None
    needed = resources if isinstance(resources, dict) else {}
    # Of a range the claim has chosen a number.
    counts = [needed.get("gpus"), needed.get("ranks"), *given_gpus]
    ranks = max([1, *(each for each in counts if isinstance(each, int))])
    return count * ranks if isinstance(count, int) else 0


def _query(question: str) -> list[list[str]]:
    """The rows that nvidia-smi answers, none without it; raises SubprocessError if it fails."""
    if shutil.which("nvidia-smi") is None:
        return []
    command = ["nvidia-smi", question, "--format=csv,noheader,nounits"]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=60)
    if ran.returncode != 0:
        said = (ran.stdout + ran.stderr).strip()
        raise subprocess.SubprocessError(said or f"exit status {ran.returncode}")
    lines = [line for line in ran.stdout.splitlines() if line.strip()]
    return [[field.strip() for field in line.split(",")] for line in lines]


def _title(pid: str) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ").strip() or "a process"
    except OSError:
        return "a process"


MACHINE_CHECKS = (
    Check("torch", _torch),
    Check("GPU processes", _gpu_processes),
    Check("port", _port),
    Check("cores", _loaders),
    Check("limits", _limits),
    Check("shared memory", _shared_memory),
)
