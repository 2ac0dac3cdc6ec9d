"""Fixtures: a control plane, and workers of it that leave nothing behind."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from api_tests.support.fake_control_plane import FakeControlPlane
from api_tests.support.gpu_driver import FakeDriver
from api_tests.support.polling import eventually
from api_tests.support.worker_process import StartWorker, Worker
from workers.launcher.local.launcher import WORKER_ID
from workers.process_marks import processes_with


@pytest.fixture
def control_plane() -> Iterator[FakeControlPlane]:
    control_plane = FakeControlPlane()
    yield control_plane
    control_plane.stop()


@pytest.fixture
def driver(tmp_path: Path) -> FakeDriver:
    """A driver with two GPUs, on which no torch can compute."""
    return FakeDriver(tmp_path)


@pytest.fixture
def start_worker(control_plane: FakeControlPlane, tmp_path: Path) -> Iterator[StartWorker]:
    """Starts workers on `tmp_path`; at the test's end no process of theirs may be left.

    `ranks` is the `module:function` that ranks run in the place of the trainer, or a function of
    ranks.py. `fault` is injected into the agent, see faults.py, and so are `constants`. Variables
    are added to the environment; None takes one away.
    """
    workers: list[Worker] = []

    def start(
        *flags: str,
        ranks: str | None = None,
        fault: str | None = None,
        constants: dict[str, float] | None = None,
        **variables: str | None,
    ) -> Worker:
        ranks = ranks and (ranks if ":" in ranks else f"ranks:{ranks}")
        function = f"api_tests.support.{ranks}"
        code = (
            f"from api_tests.support.faults import inject, replace_constants;"
            f"inject({fault!r}); replace_constants({constants or {}!r});"
            "import sys; from workers import main; from workers.settings import WorkerSettings;"
            "from pydantic_settings import CliApp;"
            f"sys.exit(main.work(CliApp.run(WorkerSettings), '{function}'))"
        )
        program = ["-m", "workers"] if ranks is None else ["-c", code]
        places = ["--volume", str(tmp_path), "--data-root", str(tmp_path)]
        places += ["--import-root", str(tmp_path), "--server", control_plane.url]
        path = [str(Path(__file__).parents[2]), os.environ.get("PYTHONPATH", "")]
        environment = {"OMP_NUM_THREADS": "1", "PYTHONPATH": os.pathsep.join(filter(None, path))}
        given = os.environ | environment | variables
        log_path = tmp_path / f"worker-{len(workers)}.log"
        with log_path.open("w") as log:
            process = subprocess.Popen(
                [sys.executable, *program, *places, *flags],
                env={name: value for name, value in given.items() if value is not None},
                stderr=log,
            )
        workers.append(Worker(process, log_path))
        return workers[-1]

    yield start
    for worker in workers:
        if worker.process.poll() is None:
            worker.process.send_signal(signal.SIGKILL)
        worker.process.wait()
    for worker_id, _ in control_plane.registered:
        eventually(lambda worker_id=worker_id: not processes_with(WORKER_ID, worker_id), 5)
