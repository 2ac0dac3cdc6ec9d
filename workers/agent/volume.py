"""Compares this worker's volume with the server's, at registration and before each claim."""

from pathlib import Path

import structlog

from service.contract.registration import WorkerVolume
from service.volume.identity import SharedVolume, identity_of
from workers.agent.client import ControlPlane
from workers.agent.control_plane_errors import NoSuchRoute

_log = structlog.get_logger()


class VolumeReporter:
    """Sends the control plane the identity of this worker's volume, and learns the server's.

    The worker makes no folder at the root of a volume: a missing one is one that is not mounted. An
    older control plane compares nothing; then every folder that exists is taken for the volume.
    """

    def __init__(self, control_plane: ControlPlane, worker_id: str, root: Path) -> None:
        self._control_plane, self._worker_id, self._root = control_plane, worker_id, root
        self._has_looked = False
        self._present: str | None = None
        self._problem: str | None = None
        self.expected = SharedVolume(root)

    def report(self) -> None:
        """Send the identity until it is answered; raises Refused.

        It reads the volume the first time alone: a later call is one of the heartbeats, which no
        volume may hold up.
        """
        if not self._has_looked:
            self._look()
        self._send()

    def is_right(self) -> bool:
        """Whether the volume is the server's now; a change is sent and logged; raises Refused."""
        before = self._present
        self._look()
        if self._present != before:
            self._send()
        problem = self.expected.problem()
        if problem != self._problem:
            level = _log.info if problem is None else _log.error
            level("volume_changed", problem=problem)
            self._problem = problem
        return problem is None

    def _look(self) -> None:
        self._has_looked = True
        try:
            self._present = identity_of(self._root)
        except OSError:
            # It does not answer, or refuses: it is not known to be the server's.
            self._present = None

    def _send(self) -> None:
        body = WorkerVolume(path=str(self._root), id=self._present)
        try:
            reply = self._control_plane.put_volume(self._worker_id, body)
        except NoSuchRoute:
            _log.warning("volume_not_compared", reason="the control plane is of an older version")
        else:
            self.expected = SharedVolume(self._root, reply.id)
