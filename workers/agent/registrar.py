"""How a worker makes itself known to the control plane, first and again."""

import threading

import structlog

from service.contract.registration import Gpu, Registration
from workers.agent.catalog import CatalogReporter
from workers.agent.client import ControlPlane
from workers.agent.predecessors import report_ended_predecessors
from workers.agent.volume import VolumeReporter

_log = structlog.get_logger()


class Registrar:
    """Sends the registration, the volume and the catalog; each call may raise Refused."""

    def __init__(
        self,
        control_plane: ControlPlane,
        worker_id: str,
        registration: Registration,
        volume: VolumeReporter,
        catalog: CatalogReporter,
    ) -> None:
        self._control_plane, self._worker_id = control_plane, worker_id
        self._registration, self._volume, self._catalog = registration, volume, catalog
        self._lock = threading.Lock()
        self.is_registered = False

    def register(self) -> None:
        """Register, and report in another thread the predecessors that have ended."""
        # The GPUs may change in another thread: the newest registration is to be the last.
        with self._lock:
            reply = self._control_plane.register(self._worker_id, self._registration)
        _log.info("registered", worker_id=self._worker_id)
        threading.Thread(
            target=report_ended_predecessors,
            args=(reply.neighbours, self._control_plane),
            daemon=True,
        ).start()
        self._volume.report()
        self._catalog.report()

    def change_gpus(self, gpus: tuple[Gpu, ...]) -> None:
        """Register with these GPUs from now on, at once if the worker is registered."""
        self._change(gpus=gpus)

    def change_hosts(self, hosts: int) -> None:
        """Register with so many hosts from now on, each of which is a slot."""
        self._change(hosts=hosts, slots=hosts)

    def _change(self, **fields: object) -> None:
        with self._lock:
            self._registration = self._registration.model_copy(update=fields)
            if self.is_registered:
                self._control_plane.register(self._worker_id, self._registration)
