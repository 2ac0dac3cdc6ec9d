"""A control plane, its workers, and one training that goes on from one death to the next."""

import subprocess
from typing import Any

import psutil

from api_tests.support.deaths import DisturbedTraining
from api_tests.support.installation import Installation, until
from api_tests.support.worker_process import title_of


class DisturbedYard:
    """The training is of `spec`, and a worker is `python -m worker`."""

    def __init__(self, installation: Installation, spec: dict[str, Any], worker: str) -> None:
        self.installation, self._spec, self._module = installation, spec, worker
        self._job_id: str | None = None
        self._workers: list[subprocess.Popen[bytes]] = []

    def training(self) -> DisturbedTraining:
        """The attempt that runs now; a worker and a job are made where there is none."""
        client = self.installation.client
        if self._job_id is None or client.job(self._job_id).finished_at is not None:
            self._job_id = client.submit(self._spec).id
        if not any(worker.poll() is None for worker in self._workers):
            self.start_worker()
        job_id = self._job_id
        until(lambda: client.job(job_id).state == "running" or None)
        return DisturbedTraining(self.installation, job_id, until(lambda: self._agent(job_id)))

    def start_worker(self) -> None:
        """One more; it is registered."""
        count = self._registrations()
        worker = self.installation.start_worker(self._module)
        until(lambda: self._registrations() > count)
        self._workers.append(worker)

    def _agent(self, job_id: str) -> "subprocess.Popen[bytes] | None":
        """The worker with processes of the job."""
        for worker in self._workers:
            if worker.poll() is None:
                below = psutil.Process(worker.pid).children(recursive=True)
                if any(title_of(each).endswith(job_id) for each in below):
                    return worker
        return None

    def _registrations(self) -> int:
        log = self.installation.folder / "worker.log"
        return log.read_text().count('"catalog_sent"') if log.exists() else 0
