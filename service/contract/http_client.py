"""The HTTP client of everything that calls a server: the agent, the Python client, the commands.

It is in the contract because that is the one room which both sides import.
"""

import ipaddress
import os
import socket
from collections.abc import Callable, Mapping
from typing import TypeVar
from urllib.request import getproxies, proxy_bypass

import httpx

from service.contract.tokens import check_token

_Client = TypeVar("_Client", httpx.Client, httpx.AsyncClient)

_CERTIFICATES = ("SSL_CERT_FILE", "SSL_CERT_DIR")
_UNSET = "add the server's host to NO_PROXY"


class BadConnection(ValueError):
    """The address of a server, the token, or a proxy or certificate of the environment cannot be
    used; the message says what to change."""


def http_client(
    server: str,
    token: str | None,
    *,
    timeout: httpx.Timeout,
    headers: Mapping[str, str] | None = None,
) -> httpx.Client:
    """A client of one server; a server on this machine is called directly, whatever the environment
    has as a proxy, and every other one by the proxy of the environment.

    Raises BadConnection.
    """
    return _connected(httpx.Client, server, token, timeout, headers)


def async_http_client(
    server: str, token: str | None, *, timeout: httpx.Timeout
) -> httpx.AsyncClient:
    """What `http_client` makes, for a program with an event loop. Raises BadConnection."""
    return _connected(httpx.AsyncClient, server, token, timeout, None)


def _connected(
    kind: Callable[..., _Client],
    server: str,
    token: str | None,
    timeout: httpx.Timeout,
    headers: Mapping[str, str] | None,
) -> _Client:
    url = server_url(server)
    authorization = {"Authorization": f"Bearer {_sendable(token)}"} if token else {}
    proxy = proxy_of(url)
    try:
        certificates = httpx.create_ssl_context()
    except OSError as error:
        names = " or ".join(name for name in _CERTIFICATES if os.environ.get(name))
        raise BadConnection(f"cannot read the certificates that {names} names: {error}") from error
    try:
        return kind(
            base_url=url,
            headers={**(headers or {}), **authorization},
            timeout=timeout,
            proxy=proxy,
            verify=certificates,
            # httpx would read the proxies of the environment once more, for this machine too, and
            # fails on entries of NO_PROXY that it cannot parse.
            trust_env=False,
        )
    except ImportError as error:
        raise BadConnection(
            f"the environment names a SOCKS proxy for {url}, which needs one more package: "
            f"pip install 'httpx[socks]', or {_UNSET}"
        ) from error
    except (ValueError, httpx.InvalidURL) as error:
        # Without the proxy's address: it may hold a password.
        raise BadConnection(
            f"the proxy that the environment names for {url} is no address like "
            f"http://host:port: correct it, or {_UNSET}"
        ) from error


def server_url(text: str) -> httpx.URL:
    """The address of a server, such as `http://host:8000`; raises BadConnection."""
    try:
        url = httpx.URL(text.rstrip("/"))
    except httpx.InvalidURL:
        url = httpx.URL("")
    # httpx escapes what no name of a host may hold.
    if url.scheme not in ("http", "https") or not url.host or "%" in url.host:
        raise BadConnection(
            f"{text!r} is not an address like http://host:port; correct --server or "
            "TRAINYARD_SERVER"
        )
    return url


def proxy_of(url: httpx.URL) -> str | None:
    """The proxy by which the environment wants a server called; None for a direct call."""
    if _is_this_machine(url.host) or _is_exempt(url):
        return None
    proxies = getproxies()
    proxy = proxies.get(url.scheme) or proxies.get("all")
    return proxy if proxy is None or "://" in proxy else f"http://{proxy}"


def _sendable(token: str) -> str:
    try:
        return check_token(token)
    except ValueError as error:
        raise BadConnection(f"{error}; correct --token or TRAINYARD_TOKEN") from error


def _is_this_machine(host: str) -> bool:
    name = host.rstrip(".").lower()
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        address = ipaddress.ip_address(name)
    except ValueError:
        return False
    if address.is_loopback or address.is_unspecified:
        return True
    # Only an address of this machine can be bound: one that `trainyard up --host` listens on.
    family = socket.AF_INET6 if address.version == 6 else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.bind((name, 0))
    except OSError:
        return False
    return True


def _is_exempt(url: httpx.URL) -> bool:
    """Whether NO_PROXY names the server: by its host, with or without port, or by a network."""
    hosts = [url.host, f"[{url.host}]"] if ":" in url.host else [url.host]
    port = url.port or {"http": 80, "https": 443}[url.scheme]
    if any(proxy_bypass(name) for host in hosts for name in (host, f"{host}:{port}")):
        return True
    return any(_holds(network, url.host) for network in getproxies().get("no", "").split(","))


def _holds(network: str, host: str) -> bool:
    try:
        return ipaddress.ip_address(host) in ipaddress.ip_network(network.strip(), strict=False)
    except ValueError:
        return False
