"""The folders of an installation on one machine, and the commands of its processes."""

import secrets
import signal
import socket
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import URL

from service.client import InvalidConnection, TrainyardError
from service.devserver.child import Program

_REACHABLE_HOST = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}


_CHOOSE = "choose another folder with --data-dir (with make: YARD=…)"


class PortInUse(InvalidConnection):
    """The server could not listen on the address."""


class BadDataFolder(TrainyardError):
    """The data folder cannot be used; the message says why."""


@dataclass(frozen=True)
class LocalPaths:
    """The data folder of an installation, and the address of its server."""

    folder: Path
    host: str
    port: int
    environ: Mapping[str, str]
    """The environment variables; TRAINYARD_… paths in it take precedence over `folder`."""
    worker_token: str = field(default_factory=lambda: secrets.token_urlsafe(32), repr=False)
    """What the workers send: they may claim jobs, and nothing else, once the server has tokens."""

    @property
    def url(self) -> str:
        """The URL at which this machine reaches the server."""
        host = _REACHABLE_HOST.get(self.host, self.host)
        return f"http://[{host}]:{self.port}" if ":" in host else f"http://{host}:{self.port}"

    @property
    def volume(self) -> Path:
        """The folder of the checkpoints, and of all that jobs leave as files."""
        return Path(self.environment()["TRAINYARD_VOLUME"])

    def make_folders(self) -> None:
        """Create the folders that are missing; raises BadDataFolder."""
        for name in ("volume", "data", "imports", "logs"):
            folder = self.folder / name
            try:
                folder.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise BadDataFolder(
                    f"cannot create the folder {folder} ({error.strerror}): {_CHOOSE}"
                ) from error

    def require_free_port(self) -> None:
        """Raise PortInUse if the server could not listen on its address."""
        try:
            addresses = socket.getaddrinfo(
                self.host or None, self.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
            )
            family, kind, protocol, _, address = addresses[0]
            with socket.socket(family, kind, protocol) as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.bind(address)
        except UnicodeError as error:
            raise PortInUse(f"--host {self.host!r} is no address to listen on") from error
        except OSError as error:
            raise PortInUse(
                f"cannot listen on {self.host}:{self.port} ({error.strerror or error}); "
                "choose another port with --port or TRAINYARD_PORT (with make: PORT=…)"
            ) from error

    def environment(self) -> dict[str, str]:
        """The environment variables of the server and the workers."""
        folder = self.folder.resolve()
        return {
            "TRAINYARD_DATABASE_URL": _sqlite_url(folder / "trainyard.db"),
            "TRAINYARD_VOLUME": str(folder / "volume"),
            "TRAINYARD_DATA_ROOT": str(folder / "data"),
            "TRAINYARD_IMPORT_ROOT": str(folder / "imports"),
            "PYTHONUNBUFFERED": "1",
            **self.environ,
            "TRAINYARD_HOST": self.host,
            "TRAINYARD_PORT": str(self.port),
            "TRAINYARD_SERVER": self.url,
        }

    def server(self) -> Program:
        """The program of the control plane; its log is `logs/server.log`."""
        command = [sys.executable, "-m", "service.cli", "serve"]
        env = self.environment() | {"TRAINYARD_WORKER_TOKEN": self.worker_token}
        return Program("server", command, env, self.folder / "logs" / "server.log")

    def worker(self, number: int) -> Program:
        """The program of worker `number`, which releases its job on SIGTERM.

        Its log is `logs/worker-<number>.log`.
        """
        env = self.environment() | {"TRAINYARD_TOKEN": self.worker_token}
        command = [sys.executable, "-m", "workers", "--server", self.url]
        for flag in ("volume", "data-root", "import-root"):
            command += [f"--{flag}", env[f"TRAINYARD_{flag.upper().replace('-', '_')}"]]
        command += ["--slots", "1", "--on-drain", "release"]
        log = self.folder / "logs" / f"worker-{number}.log"
        # After SIGTERM a worker would wait for the server, which dies with the parent as well.
        return Program(f"worker {number}", command, env, log, parent_death_signal=signal.SIGKILL)


def _sqlite_url(file: Path) -> str:
    # A path may hold what means something in a URL, such as `?` and `%2F`.
    try:
        return URL.create("sqlite", database=str(file)).render_as_string()
    except UnicodeEncodeError as error:
        raise BadDataFolder(f"the path {str(file.parent)!r} is not UTF-8: {_CHOOSE}") from error
