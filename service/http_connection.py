"""HTTP connections that cannot be held open for nothing: bounded in number and in silence."""

import asyncio
import errno
import resource
import socket
from typing import Any

from uvicorn.protocols.http.h11_impl import H11Protocol

from service.contract.reading import log_once

_RESERVED_FILES = 256
"""Descriptors for the database, the volume and the server's own files, at most half of all."""
_MOST_CONNECTIONS = 16_384


class HttpConnection(H11Protocol):
    """A connection that is closed if its peer sends no whole request head, or takes no answer.

    uvicorn itself closes a connection that is idle after a response. One that reaches uvicorn's
    `limit_concurrency` is closed at once: those before it, and the server's own files, come first.
    """

    head_seconds = 20.0
    unsent_seconds = 120
    """How long the peer may acknowledge nothing of what is sent; the kernel counts."""

    _head_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for the head of a request."""
        super().connection_made(transport)
        if self.limit_concurrency is not None and len(self.connections) >= self.limit_concurrency:
            log_once("too_many_connections", f"the limit is {self.limit_concurrency}")
            transport.abort()
            return
        peer: socket.socket = transport.get_extra_info("socket")
        if peer.family in (socket.AF_INET, socket.AF_INET6):
            unsent = self.unsent_seconds * 1000
            peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, unsent)
        self._wait_for_head()

    def data_received(self, data: bytes) -> None:
        """Read on; a head that has begun must be whole in time."""
        super().data_received(data)
        is_under_way = self.cycle is not None and not self.cycle.response_complete
        if is_under_way:
            self._stop_waiting()
        elif self._head_timer is None:
            self._wait_for_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop waiting."""
        self._stop_waiting()
        super().connection_lost(exc)

    def _wait_for_head(self) -> None:
        self._head_timer = self.loop.call_later(self.head_seconds, self.transport.abort)

    def _stop_waiting(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None


def connection_limit() -> int:
    """How many connections the process may have; raises its limit of open files as far as it may.

    The rest of the descriptors is for the database, the volume and the server's own files.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most_files = _MOST_CONNECTIONS + _RESERVED_FILES
    files = most_files if hard == resource.RLIM_INFINITY else min(hard, most_files)
    if soft < files:
        resource.setrlimit(resource.RLIMIT_NOFILE, (files, hard))
    files = max(files, soft)
    return min(files - min(_RESERVED_FILES, files // 2), _MOST_CONNECTIONS)


def note_loop_error(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """Say once that no connection can be accepted, since asyncio tries again for ever.

    Every other error goes to the loop's own handler.
    """
    error = context.get("exception")
    if isinstance(error, OSError) and error.errno in (errno.EMFILE, errno.ENFILE):
        log_once("out_of_file_descriptors", str(error))
        return
    loop.default_exception_handler(context)
