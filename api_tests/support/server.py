"""The real server, in a process of its own."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx

DEADLINE_SECONDS = 30.0
START_SECONDS = 90.0
"""A server of a long run starts beside others that compute."""


def wait_for(condition: Callable[[], bool], what: str, seconds: float = DEADLINE_SECONDS) -> None:
    """Wait until it holds; fails after the deadline."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"waited in vain for {what}"
        time.sleep(0.02)


def environment(folder: Path, **settings: str) -> dict[str, str]:
    """The variables of a server whose things are all in `folder`."""
    clean = {name: value for name, value in os.environ.items() if "TRAINYARD" not in name}
    mine = {
        "database_url": f"sqlite:///{folder}/trainyard.db",
        "volume": f"{folder}/volume",
        "data_root": f"{folder}/data",
        "import_root": f"{folder}/imports",
        "port": "0",
    } | settings
    return clean | {f"TRAINYARD_{name.upper()}": value for name, value in mine.items()}


class Server:
    """`python -m service.main`, or another module, on a port that the system chose."""

    def __init__(self, folder: Path, *, module: str = "service.main", **settings: str) -> None:
        self.folder, self.volume, self._module = folder, folder / "volume", module
        self._settings = settings
        self.process: subprocess.Popen[bytes]
        self.start()

    def start(self) -> None:
        """Start (again), and wait until it is ready."""
        log_path = self.folder / "server.log"
        with log_path.open("ab") as log:
            self._begins_at = log.tell()
            self.process = subprocess.Popen(
                [sys.executable, "-m", self._module],
                env=environment(self.folder, **self._settings),
                stderr=log,
            )
        wait_for(lambda: self._url(log_path) is not None, "the server's address", START_SECONDS)
        self.url = str(self._url(log_path))
        self.http = httpx.Client(base_url=self.url, timeout=DEADLINE_SECONDS)
        wait_for(lambda: self.http.get("/readyz").status_code == 200, "readiness", START_SECONDS)

    def _url(self, log_path: Path) -> str | None:
        assert self.process.poll() is None, log_path.read_text()
        for line in log_path.read_bytes()[self._begins_at :].splitlines():
            if b'"serving"' in line:
                return str(json.loads(line)["url"])
        return None

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Send a signal and wait; the exit status."""
        self.http.close()
        self.process.send_signal(number)
        return self.process.wait(DEADLINE_SECONDS)


@contextmanager
def two_servers(folder: Path, database_url: str, **settings: str) -> Iterator[list[Server]]:
    """Two servers over one PostgreSQL and one volume."""
    settings |= {"database_url": database_url, "volume": f"{folder}/volume"}
    with ExitStack() as stack:
        servers = []
        for name in ("one", "two"):
            (folder / name).mkdir()
            servers.append(Server(folder / name, **settings))
            stack.callback(servers[-1].stop)
        yield servers


def refused_start(folder: Path, **settings: str) -> tuple[int, str]:
    """The exit status of a server that cannot start, and what it said."""
    ran = subprocess.run(
        [sys.executable, "-m", "service.main"],
        env=environment(folder, **settings),
        capture_output=True,
        text=True,
        timeout=DEADLINE_SECONDS,
    )
    return ran.returncode, ran.stderr
