"""Two hosts on one machine: network namespaces with a switch between them."""

import os
import shutil
import signal
import subprocess
from contextlib import suppress

from workers.launcher.wide.engine import Host

ADDRESSES = ("10.77.0.1", "10.77.0.2")


def missing_for_namespaces() -> str:
    """Why there can be none here; empty if there can."""
    if os.geteuid() != 0:
        return "network namespaces are made as root alone"
    if shutil.which("ip") is None:
        return "no ip: apt-get install iproute2"
    name = f"ty{os.getpid()}"
    if subprocess.run(["ip", "netns", "add", name], capture_output=True).returncode != 0:
        return "this machine makes no network namespaces"
    _ip("netns", "del", name)
    return ""


class TwoHosts:
    """The namespaces; each host has the interface `wire`, whose other end is in the switch."""

    def __init__(self) -> None:
        self.switch = f"ty{os.getpid()}s"
        self.hosts = tuple(Host(f"ty{os.getpid()}{name}", address) for name, address in _NAMED)
        _namespace(self.switch)
        _ip("-n", self.switch, "link", "add", "bridge", "type", "bridge")
        _ip("-n", self.switch, "link", "set", "bridge", "up")
        for host in self.hosts:
            self._connect(host)

    def set_wire(self, number: int, state: str) -> None:
        """Set the switch's port of a host `up` or `down`: its own interface shows nothing of it."""
        _ip("-n", self.switch, "link", "set", f"port{number}", state)

    def pids(self, number: int) -> list[int]:
        """The processes of a host."""
        listed = _ip("netns", "pids", self.hosts[number].name)
        return [int(pid) for pid in listed.split()]

    def kill(self, number: int) -> None:
        """Kill everything that runs on a host, and whatever comes of it until it is dead."""
        while pids := self.pids(number):
            for pid in pids:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)

    def close(self) -> None:
        """Remove them."""
        for name in (self.switch, *(host.name for host in self.hosts)):
            _ip("netns", "del", name)

    def _connect(self, host: Host) -> None:
        number = self.hosts.index(host)
        port = f"port{number}"
        _namespace(host.name)
        peer = ["type", "veth", "peer", "name", port, "netns", self.switch]
        _ip("-n", host.name, "link", "add", "wire", *peer)
        _ip("-n", self.switch, "link", "set", port, "master", "bridge")
        _ip("-n", self.switch, "link", "set", port, "up")
        _ip("-n", host.name, "addr", "add", f"{host.address}/24", "dev", "wire")
        _ip("-n", host.name, "link", "set", "wire", "up")


_NAMED = tuple(zip("ab", ADDRESSES, strict=True))


def _namespace(name: str) -> None:
    _ip("netns", "add", name)
    _ip("-n", name, "link", "set", "lo", "up")


def _ip(*arguments: str) -> str:
    return subprocess.run(["ip", *arguments], check=True, capture_output=True, text=True).stdout
