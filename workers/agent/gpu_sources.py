"""Where the GPUs of a worker are: in its own machine, or in its launcher's cluster."""

from collections.abc import Callable, Mapping, Sequence

from workers.agent.gpu_discovery import discover_gpus, gpu_problems
from workers.agent.gpu_listing import GpuListing, ListedGpu
from workers.launcher.base import GpuDevice, Launcher


class GpuSource:
    """Lists GPUs, and tries torch on them; both may take long.

    `cluster_gpus` gives the models of those that each machine of a cluster has; where there is one,
    they count if this machine has none of its own.
    """

    def __init__(self, cluster_gpus: Callable[[], Sequence[str]] | None = None) -> None:
        self._cluster_gpus = cluster_gpus

    def listing(self) -> GpuListing:
        """Those that are there now; of a cluster's neither memory nor UUIDs are known."""
        own = discover_gpus()
        if self._cluster_gpus is None or own.gpus or own.problem is not None:
            return own
        models = enumerate(self._cluster_gpus())
        return GpuListing(gpus=tuple(ListedGpu(index=index, name=name) for index, name in models))

    def problems(self, gpus: Sequence[GpuDevice]) -> Mapping[int, str | None]:
        """By its index why torch cannot use a GPU, None if it can; without those not known.

        Only a training finds out whether it can use one of a cluster: none is kept from the next.
        """
        own = [gpu for gpu in gpus if gpu.cuda_name]
        elsewhere = {gpu.index: None for gpu in gpus if not gpu.cuda_name}
        return {**elsewhere, **(gpu_problems(own) if own else {})}


def gpu_source(launcher: Launcher) -> GpuSource:
    """With the GPUs of the launcher's cluster, if it has one that tells of them."""
    return GpuSource(getattr(launcher, "cluster_gpus", None))
