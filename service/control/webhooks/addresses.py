"""Which addresses a webhook may have: none of the server's own machine or of its private networks.

Otherwise whoever may make a webhook could have the server call what only the server can reach.
"""

import ipaddress
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address
from urllib.parse import urlsplit

from service.domain.errors import Unprocessable
from service.domain.webhooks import Network

Address = IPv4Address | IPv6Address
_NAT64 = ipaddress.ip_network("64:ff9b::/96")


class RefusedAddress(Exception):
    """The host is not to be called; the message says which setting allows it."""


class UnknownHost(Exception):
    """The name of the host has no address now."""


def resolve(host: str, port: int) -> list[str]:
    """The addresses of a host; raises UnknownHost."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise UnknownHost(f"the host {host!r} cannot be resolved: {error}") from error
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


@dataclass(frozen=True)
class AddressGuard:
    """Gives the addresses of hosts that may be called: public ones, and those of `allowed`."""

    allowed: Sequence[Network]
    allows_http: bool
    resolve: Callable[[str, int], list[str]] = resolve

    def addresses(self, host: str, port: int) -> list[str]:
        """The addresses of a host, each checked; a caller connects to these and to no others.

        Raises UnknownHost, and RefusedAddress if any of them is not to be called.
        """
        found = self.resolve(host, port)
        for text in found:
            address = ipaddress.ip_address(text.partition("%")[0])
            if not self._is_allowed(address):
                raise RefusedAddress(
                    f"{host} is {text}, which is not a public address: to allow it, add it or its "
                    "network to TRAINYARD_WEBHOOK_NETWORKS"
                )
        return found

    def check_url(self, url: str) -> None:
        """Raises Unprocessable for a URL that is not to be called, or whose host is not known."""
        try:
            parts = urlsplit(url)
            host, port = parts.hostname, parts.port
        except ValueError as error:
            raise _invalid(f"is no URL: {error}") from None
        if parts.scheme not in ("https", "http") or not host:
            raise _invalid("must be a URL with a host, such as https://hooks.example.org/train")
        if parts.scheme == "http" and not self.allows_http:
            raise _invalid("must begin with https://; TRAINYARD_WEBHOOK_HTTP=true allows http://")
        if parts.username is not None or parts.password is not None:
            raise _invalid("must have no user and password: the signature proves who sends")
        if parts.fragment or any(not "!" <= character <= "~" for character in url):
            raise _invalid("must be of visible ASCII characters without '#': encode the others")
        try:
            self.addresses(host, port or (443 if parts.scheme == "https" else 80))
        except (RefusedAddress, UnknownHost) as error:
            raise _invalid(str(error)) from None

    def _is_allowed(self, address: Address) -> bool:
        for each in (address, *_embedded(address)):
            if any(each in network for network in self.allowed):
                continue
            if each.is_multicast or not each.is_global:
                return False
        return True


def _embedded(address: Address) -> tuple[IPv4Address, ...]:
    """The IPv4 addresses that an IPv6 address leads to."""
    if isinstance(address, IPv4Address):
        return ()
    inner = [address.ipv4_mapped, address.sixtofour, *(address.teredo or ())]
    if address in _NAT64:
        inner.append(IPv4Address(int(address) & 0xFFFFFFFF))
    return tuple(each for each in inner if each is not None)


def _invalid(detail: str) -> Unprocessable:
    return Unprocessable("invalid_url", f"url: {detail}", "/url")
