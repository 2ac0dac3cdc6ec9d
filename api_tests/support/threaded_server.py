"""The routes behind real HTTP, in a thread of the test's own process and without its loops."""

import socket
from pathlib import Path
from threading import Thread

import httpx
import uvicorn

from api_tests.support.server import DEADLINE_SECONDS, wait_for
from service.api.app import build_app
from service.context import AppContext


class ThreadedServer:
    """A server whose database a test can watch: nothing but its requests uses it."""

    def __init__(self, context: AppContext) -> None:
        self.volume: Path = context.settings.volume
        listening = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        config = uvicorn.Config(build_app(context), log_config=None, access_log=False, ws="none")
        # As a server does at its start.
        context.credentials.refresh(context.now())
        self._context, self._server = context, uvicorn.Server(config)
        self._thread = Thread(target=self._server.run, kwargs={"sockets": [listening]})
        self._thread.start()
        wait_for(lambda: self._server.started, "the server's start")
        self.http = httpx.Client(base_url=self.url, timeout=DEADLINE_SECONDS)

    def stop(self) -> None:
        """End, and wait until it has."""
        self.http.close()
        self._context.notifier.close()
        self._server.should_exit = True
        self._thread.join(DEADLINE_SECONDS)
        assert not self._thread.is_alive()
