"""Where the ranks of an attempt on one host find each other: a socket on the loopback interface.

Imports no torch.
"""

import os
import socket
from collections.abc import Mapping

import psutil

MASTER_FD = "TRAINYARD_MASTER_FD"
"""The environment variable by which a launcher hands rank 0 the socket that listens for the others.

It is a file descriptor. Without it, as under torchrun, rank 0 listens at MASTER_PORT itself.
"""
_LOOPBACK = "127.0.0.1"


class MasterSocket:
    """A socket that listens at a free port, so that nobody can take the port before rank 0."""

    def __init__(self, listening: socket.socket | None = None) -> None:
        """`listening` is a socket that listens already, for ranks of several hosts."""
        if listening is None:
            listening = socket.create_server((_LOOPBACK, 0), backlog=socket.SOMAXCONN)
        self._socket = listening

    def environment(self, rank: int) -> dict[str, str]:
        """What a rank needs to find the others; rank 0 takes the socket over."""
        address, port = self._socket.getsockname()[:2]
        place = {"MASTER_ADDR": address, "MASTER_PORT": str(port)}
        return place | ({MASTER_FD: str(self._socket.fileno())} if rank == 0 else {})

    def close(self) -> None:
        """Close this process's copy: once rank 0 has ended, nobody listens any more."""
        self._socket.close()


def loopback_environment() -> dict[str, str]:
    """Variables that keep what gloo and NCCL send between ranks of one host on this host.

    An address of the machine may change while it runs, and would take the connections with it.
    """
    name = next((name for name, addresses in _addresses().items() if _LOOPBACK in addresses), None)
    return {} if name is None else {"GLOO_SOCKET_IFNAME": name, "NCCL_SOCKET_IFNAME": name}


def master_fd(environment: Mapping[str, str] = os.environ) -> int | None:
    """The socket that the launcher has handed to this rank; None if it handed none."""
    given = environment.get(MASTER_FD, "")
    return int(given) if given.isdigit() else None


def _addresses() -> dict[str, list[str]]:
    listed = psutil.net_if_addrs().items()
    return {name: [address.address for address in addresses] for name, addresses in listed}
