"""Real HTTP on a port of its own, from a thread of the test: what the fakes stand on."""

import socket
import threading

import uvicorn
from fastapi import FastAPI


def free_port() -> int:
    """A port of this machine that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class FakeServer:
    """Serves an application on one port; it can go away and come back."""

    def __init__(self, app: FastAPI, port: int | None = None) -> None:
        self._app = app
        self._port = port or free_port()
        self.url = f"http://127.0.0.1:{self._port}"
        self.start()

    @property
    def is_stopping(self) -> bool:
        """True once it was asked to go away."""
        return self._server.should_exit

    def start(self) -> None:
        """Come (back) on its port: connections are accepted from now on."""
        listening = socket.socket()
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(("127.0.0.1", self._port))
        listening.listen(128)
        config = uvicorn.Config(self._app, log_level="critical", ws="none")
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, args=([listening],))
        self._thread.start()

    def stop(self) -> None:
        """Go away; its port refuses connections."""
        self._server.should_exit = self._server.force_exit = True
        self._thread.join()
