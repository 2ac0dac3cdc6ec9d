"""Attempts that a launcher runs on several hosts, without an agent, and their processes."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil

from api_tests.support.claims import a_claim
from api_tests.support.polling import eventually
from api_tests.support.worker_process import title_of
from service.contract.checkpoints import attempt_path
from service.contract.ids import new_id
from service.contract.kernel import boot_clock
from workers.attempt_dir import Assignment, AttemptDir
from workers.launcher.base import Launch, Launcher, LauncherOptions
from workers.launcher.process_exit import ProcessExit
from workers.launcher.ray.launcher import RayLauncher
from workers.launcher.slurm.launcher import SlurmLauncher

TRAINER = "workers.runs.preloaded:run_rank"
LEASE_SECONDS = 60.0
StartLauncher = Callable[..., SlurmLauncher]
"""The fixture `start_launcher`: the main function of the ranks, and flags of salloc."""
StartRayLauncher = Callable[[str], RayLauncher]
"""The fixture `start_ray_launcher`: the main function of the ranks."""


def options_for(rank_main: str, ray_address: str | None = None) -> LauncherOptions:
    """What a launcher is made with; `rank_main` is a function of ranks.py, or a whole reference."""
    reference = rank_main if "." in rank_main else f"api_tests.support.ranks:{rank_main}"
    return LauncherOptions(
        worker_id="wrk_wide", slots=1, rank_main=reference, ray_address=ray_address
    )


class WideAttempt:
    """An attempt that a launcher has started on `hosts`, each with `ranks`."""

    def __init__(
        self, launcher: Launcher, volume: Path, *, job_id: str, hosts: int, ranks: int = 1,
        lease_seconds: float = LEASE_SECONDS, **params: Any,
    ) -> None:  # fmt: skip
        self.folder = AttemptDir(volume / attempt_path(job_id, 1))
        claim = a_claim(job_id, params=params)
        self.folder.put(
            Assignment(claim=claim, volume=volume, data_root=volume, import_root=volume)
        )
        self._job_id = job_id
        launch = Launch(
            job_id, self.folder.spec_path, self.folder.log_path, 0, hosts=hosts, ranks=ranks
        )
        self.handle = launcher.start(launch)
        self.handle.extend_deadline(boot_clock() + lease_seconds)

    def set_deadline(self, seconds: float) -> float:
        """Let the lease run out in so many seconds; the time of `boot_clock` at which it does."""
        deadline = boot_clock() + seconds
        self.handle.extend_deadline(deadline)
        return deadline

    def end(self, seconds: float = 100.0) -> ProcessExit:
        """How it ended, waited for."""
        exit_ = self.handle.wait(seconds)
        assert exit_ is not None, f"not within {seconds} s"
        return exit_

    def kinds(self) -> list[str]:
        """The kinds of the events that its ranks have written."""
        return [event.kind for event in self.folder.events_after(0)]

    def outcome(self) -> Any:
        """What its rank 0 says in the last event."""
        return self.folder.events_after(0)[-1].body.get("outcome")

    def wait_for(self, kind: str) -> None:
        """Wait until its ranks have written such an event."""
        eventually(lambda: kind in self.kinds())

    def processes(self) -> list[psutil.Process]:
        """Everything of the attempt on any host: host processes, supervisors and ranks."""
        return [each for each in psutil.process_iter() if title_of(each).endswith(self._job_id)]

    def process(self, part: str) -> psutil.Process:
        """The one process with this part in its title, such as rank-1, waited for."""
        title = f"trainyard:{part}:{self._job_id}"
        eventually(lambda: any(title_of(each) == title for each in psutil.process_iter()))
        (process,) = [each for each in psutil.process_iter() if title_of(each) == title]
        return process


def an_attempt(launcher: Launcher, folder: Path, hosts: int = 2, **fields: Any) -> WideAttempt:
    """An attempt of a job of its own; `fields` are those of WideAttempt."""
    return WideAttempt(launcher, folder, job_id=new_id("job"), hosts=hosts, **fields)


def final_weights(attempt: WideAttempt) -> bytes:
    """The file of the weights that the attempt ended with."""
    (final,) = attempt.folder.folder.glob("final-*")
    return (final / "model.safetensors").read_bytes()
