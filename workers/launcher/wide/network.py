"""The address and the network interface by which a host reaches the others."""

import socket
from collections.abc import Sequence

import psutil

_DISCARD_PORT = 9


class NoWayToHosts(Exception):
    """A host finds no way to the others; the message says what to change."""


def own_address(peers: Sequence[str]) -> str:
    """The address of this host on the way to the first of `peers` that has a known address.

    Raises NoWayToHosts.
    """
    problem = "there are no other hosts"
    for peer in peers:
        try:
            # connect() of UDP sends nothing: it chooses the way.
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
                probe.connect((peer, _DISCARD_PORT))
                address: str = probe.getsockname()[0]
                return address
        except OSError as error:
            problem = f"{peer}: {error.strerror or error}"
    raise NoWayToHosts(
        f"no way to the other hosts ({problem}): every host must know the others' names"
    )


def interface_of(address: str) -> str | None:
    """The name of the interface that has this address; None if none has."""
    for name, addresses in psutil.net_if_addrs().items():
        if any(each.address == address for each in addresses):
            return str(name)
    return None
