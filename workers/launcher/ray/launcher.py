"""The launcher of a worker that stands for the nodes of a Ray cluster."""

from collections.abc import Sequence
from importlib.util import find_spec

import structlog

from workers.launcher.base import Availability, CannotLaunch, LauncherOptions
from workers.launcher.ray.cluster import ClusterWatch
from workers.launcher.ray.engine import RayEngine
from workers.launcher.ray.messages import Node
from workers.launcher.wide.engine import Host
from workers.launcher.wide.launcher import HostLauncher

_UNNAMED = "GPU"
_log = structlog.get_logger()


class RayLauncher(HostLauncher):
    """Gives the nodes of the cluster to attempts, as they come and go.

    Raises CannotLaunch where there is no Ray, or no cluster at `ray_address`.
    """

    def __init__(self, options: LauncherOptions) -> None:
        if options.slots > 1:
            raise CannotLaunch("slots: leave it out: with the launcher ray each node is a slot")
        if options.ray_address is None:
            raise CannotLaunch(
                "ray_address: the launcher ray needs the address of the cluster's head: add "
                "--ray-address HOST:6379"
            )
        if find_spec("ray") is None:
            raise CannotLaunch(
                "launcher: ray is not installed here: pip install 'trainyard-service[ray]', with "
                "the version of the cluster"
            )
        super().__init__(options, RayEngine(options.ray_address), (), 0)
        self._gpu_names: tuple[str, ...] = ()
        self._watch = ClusterWatch(options.ray_address, self._take)

    def availability(self) -> Availability:
        """Whether attempts may be started; returns at once."""
        if self.drain.is_set():
            return Availability.ENDING
        return Availability.OPEN if self._watch.is_heard() else Availability.CLOSING

    def cluster_gpus(self) -> Sequence[str]:
        """The GPUs that each node has, by their models."""
        return self._gpu_names

    def close(self) -> None:
        """Kill the processes of all attempts, and return when none is left."""
        super().close()
        self._watch.close()

    def _take(self, nodes: tuple[Node, ...]) -> None:
        _log.info("nodes", names=[node.name for node in nodes])
        if nodes:
            # A job gets what each of them has.
            gpus = min(node.gpus for node in nodes)
            models = {node.gpu_model or _UNNAMED for node in nodes}
            self._gpu_names = ("/".join(sorted(models)),) * gpus
            self.offer_hosts([Host(node.name, node.address) for node in nodes], gpus)
