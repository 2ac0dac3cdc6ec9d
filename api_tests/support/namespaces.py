"""Two hosts on one machine: network namespaces with a switch between them."""

import os
import shutil
import subprocess
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress

from workers.launcher.wide.engine import Closed, EngineMessage, Gone, Host, Line

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


class NamespaceEngine:
    """Starts each host process in the namespace of its host, as a child of this process."""

    number_variable = "TRAINYARD_HOST_NUMBER"

    def start(
        self,
        command: Sequence[str],
        hosts: Sequence[Host],
        receive: Callable[[EngineMessage], None],
    ) -> "NamespaceProcesses":
        """Start `command` once on each host."""
        processes = [
            subprocess.Popen(
                ["ip", "netns", "exec", host.name, *command],
                env=os.environ | {self.number_variable: str(number)},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                bufsize=0,
            )
            for number, host in enumerate(hosts)
        ]
        return NamespaceProcesses(processes, receive)


class NamespaceProcesses:
    """The host processes; they are children, so that their end is always known."""

    def __init__(
        self,
        processes: "list[subprocess.Popen[bytes]]",
        receive: Callable[[EngineMessage], None],
    ) -> None:
        self._processes, self._receive = processes, receive
        self._readers = [
            threading.Thread(target=self._read, args=(number, process), daemon=True)
            for number, process in enumerate(processes)
        ]
        for reader in self._readers:
            reader.start()
        threading.Thread(target=self._close, daemon=True).start()

    def send(self, line: str) -> None:
        """Send a line to each."""
        for process in self._processes:
            assert process.stdin is not None
            # ValueError: it has been closed.
            with suppress(OSError, ValueError):
                process.stdin.write(f"{line}\n".encode())

    def kill(self) -> None:
        """End their inputs, on which they end."""
        for process in self._processes:
            assert process.stdin is not None
            process.stdin.close()

    def have_ended(self) -> bool:
        """Whether none is left."""
        return all(process.poll() is not None for process in self._processes)

    def _read(self, number: int, process: "subprocess.Popen[bytes]") -> None:
        assert process.stdout is not None
        for line in process.stdout:
            self._receive(Line(line.decode().rstrip("\n")))
        if status := process.wait():
            self._receive(Gone(number, f"status {status}"))

    def _close(self) -> None:
        for reader, process in zip(self._readers, self._processes, strict=True):
            reader.join()
            with process:
                process.wait()
        self._receive(Closed("all have ended"))


_NAMED = tuple(zip("ab", ADDRESSES, strict=True))


def _namespace(name: str) -> None:
    _ip("netns", "add", name)
    _ip("-n", name, "link", "set", "lo", "up")


def _ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True, capture_output=True)
