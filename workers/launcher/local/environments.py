"""The environment variables of the ranks on one host."""

from collections.abc import Sequence

from workers.cpu_cores import RANK_CORES
from workers.launcher.base import GpuDevice
from workers.launcher.local.host_place import HostPlace
from workers.rendezvous import loopback_environment


def environments_of(
    ranks: int, gpus: Sequence[GpuDevice], cores: int, place: HostPlace | None
) -> list[dict[str, str]]:
    """The variables of each of `ranks` ranks of this host; `place` is that of one host of many.

    Each rank has `cores` CPU cores, and one of `gpus`, if there are any.
    """
    # Whatever the worker's own variables say: they may name the way to other hosts.
    loopback = loopback_environment() if ranks > 1 and place is None else {}
    return [
        {
            "RANK": str(rank),
            "LOCAL_RANK": str(rank),
            "WORLD_SIZE": str(ranks),
            RANK_CORES: str(cores),
            "CUDA_DEVICE_ORDER": "PCI_BUS_ID",
            "CUDA_VISIBLE_DEVICES": gpus[rank].cuda_name if gpus else "",
            **loopback,
            **(place.environment(rank, ranks) if place is not None else {}),
        }
        for rank in range(ranks)
    ]
