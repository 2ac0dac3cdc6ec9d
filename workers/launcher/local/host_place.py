"""The place of one host's ranks among those of an attempt that has several hosts."""

import socket
from dataclasses import dataclass


@dataclass(frozen=True)
class HostPlace:
    """Host `index` of `hosts`; all ranks meet at `master`, an address and a port.

    `interface` is this host's network interface on the way to the other hosts. On the host of rank
    0 `listening` is the socket that listens at `master`.
    """

    index: int
    hosts: int
    master: tuple[str, int]
    interface: str | None
    listening: socket.socket | None = None

    def environment(self, local_rank: int, ranks: int) -> dict[str, str]:
        """The variables of a rank of this host, which has so many `ranks`, as every other has."""
        address, port = self.master
        place = {
            "RANK": str(self.index * ranks + local_rank),
            "WORLD_SIZE": str(self.hosts * ranks),
            "MASTER_ADDR": address,
            "MASTER_PORT": str(port),
        }
        if self.interface is None:
            return place
        # NCCL takes a plain name for the beginning of one.
        names = {
            "GLOO_SOCKET_IFNAME": self.interface,
            "NCCL_SOCKET_IFNAME": f"={self.interface}",
        }
        return place | names

    @property
    def fds(self) -> tuple[int, ...]:
        """The file descriptors that the supervisor of the ranks needs."""
        return () if self.listening is None else (self.listening.fileno(),)
