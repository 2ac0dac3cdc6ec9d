"""Where a yard on one machine keeps what, and what its processes are told."""

import signal
import socket
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from service.client import TrainyardError
from service.devserver.child import Program

_ANY = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}


class PortTaken(TrainyardError):
    """The server could not listen there."""


@dataclass(frozen=True)
class LocalPaths:
    """The folder of a yard, and the address of its server."""

    folder: Path
    host: str
    port: int
    outer: Mapping[str, str]
    """The environment around; its TRAINYARD_… variables go before the folder."""

    @property
    def url(self) -> str:
        """How this machine reaches the server."""
        host = _ANY.get(self.host, self.host)
        return f"http://[{host}]:{self.port}" if ":" in host else f"http://{host}:{self.port}"

    def make(self) -> None:
        """Make the folders that are missing."""
        for name in ("volume", "data", "imports", "logs"):
            (self.folder / name).mkdir(parents=True, exist_ok=True)

    def require_free_port(self) -> None:
        """Raises PortTaken when the server could not listen."""
        try:
            found = socket.getaddrinfo(
                self.host or None, self.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
            )
            family, kind, protocol, _, address = found[0]
            with socket.socket(family, kind, protocol) as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.bind(address)
        except OSError as error:
            raise PortTaken(
                f"cannot listen on {self.host}:{self.port} ({error.strerror or error}); "
                "choose another with --port (make: PORT=…)"
            ) from error

    def environment(self) -> dict[str, str]:
        """What the processes are told."""
        folder = self.folder.resolve()
        return {
            "TRAINYARD_DATABASE_URL": f"sqlite:///{folder / 'trainyard.db'}",
            "TRAINYARD_VOLUME": str(folder / "volume"),
            "TRAINYARD_DATA_ROOT": str(folder / "data"),
            "TRAINYARD_IMPORT_ROOT": str(folder / "imports"),
            "PYTHONUNBUFFERED": "1",
            **self.outer,
            "TRAINYARD_HOST": self.host,
            "TRAINYARD_PORT": str(self.port),
            "TRAINYARD_SERVER": self.url,
        }

    def server(self) -> Program:
        """The control plane."""
        command = [sys.executable, "-m", "service.cli", "serve"]
        env = self.environment()
        return Program("server", command, env, self.folder / "logs" / "server.log")

    def worker(self, number: int) -> Program:
        """A worker that gives its job back when it is to end."""
        env = self.environment()
        command = [sys.executable, "-m", "workers", "--server", self.url]
        for flag in ("volume", "data-root", "import-root"):
            command += [f"--{flag}", env[f"TRAINYARD_{flag.upper().replace('-', '_')}"]]
        command += ["--slots", "1", "--on-drain", "release"]
        log = self.folder / "logs" / f"worker-{number}.log"
        # Asked politely, it would wait for a server that has died with its parent, too.
        return Program(f"worker {number}", command, env, log, dies_by=signal.SIGKILL)
