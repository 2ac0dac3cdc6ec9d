"""HTTP connections that cannot be held open for nothing: bounded in number, size and silence."""

import asyncio
import errno
import resource
import socket
from typing import Any

from httptools import HttpParserError, HttpParserUpgrade
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from service.contract.reading import log_once

_RESERVED_FILES = 256
"""Descriptors for the database, the volume and the server's own files, at most half of all."""
_MOST_CONNECTIONS = 16_384
_MOST_FRAMING_BYTES = 64 * 1024
_MOST_PIPELINED = 64
_BODY_HEADERS = (b"content-length", b"transfer-encoding")


class HttpConnection(HttpToolsProtocol):
    """A connection that is closed if its peer sends no whole request head, or takes no answer.

    uvicorn itself closes a connection that is idle after a response. One that reaches uvicorn's
    `limit_concurrency` is closed at once: those before it, and the server's own files, come first.
    A head without its one Host, or of more than 64 KiB, is refused with 400; no upgrade is made,
    and a request that asks for one is answered as if it did not. What comes after a body in chunks
    is no header of its request.
    """

    head_seconds = 20.0
    unsent_seconds = 120
    """How long the peer may acknowledge nothing of what is sent; the kernel counts."""

    _head_timer: asyncio.TimerHandle | None = None
    _is_in_message = _is_in_head = False
    _framing_bytes = 0
    """Since a head began or a part of a body came: of a head, of chunk extensions, of trailers."""
    _body_head = b""
    """Of a request that asks for an upgrade: the head by which its body is read, if it has one."""
    _reads_body_head = False

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
        self._unset_keepalive_if_required()
        self._framing_bytes += len(data)
        try:
            self._parse(data)
            if self._is_in_message and self._framing_bytes > _MOST_FRAMING_BYTES:
                raise HttpParserError("the head, or what comes with the chunks, is too large")
        except HttpParserError:
            self.send_400_response("Invalid HTTP request received.")
            return
        is_under_way = self.cycle is not None and not self.cycle.response_complete
        if is_under_way:
            self._stop_waiting()
        elif self._head_timer is None:
            self._wait_for_head()

    def on_message_begin(self) -> None:
        """Begin a head."""
        if not self._reads_body_head:
            self._is_in_message = self._is_in_head = True
            self._framing_bytes = 0
            super().on_message_begin()

    def on_url(self, url: bytes) -> None:
        """Read a part of the target."""
        if not self._reads_body_head:
            super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        """Read a header; a trailer, which comes after the body, is passed over."""
        if self._is_in_head:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """Begin to answer; raises ValueError for a request that is refused."""
        if self._reads_body_head:
            self._reads_body_head = False
            return
        self._is_in_head = False
        _check_head(self.headers, self.parser.get_http_version())
        if len(self.pipeline) >= _MOST_PIPELINED:
            raise ValueError("too many requests at once")
        if self.parser.should_upgrade():
            # The parser takes what follows for another protocol: the body needs a head of its own.
            lines = [b"%s: %s\r\n" % pair for pair in self.headers if pair[0] in _BODY_HEADERS]
            self._body_head = b"".join([b"POST / HTTP/1.1\r\n", *lines, b"\r\n"]) if lines else b""
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Read a part of the body."""
        self._framing_bytes = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        """End the body, unless it is still to be read."""
        if not self._body_head:
            self._is_in_message = False
            super().on_message_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop waiting."""
        self._stop_waiting()
        super().connection_lost(exc)

    def _parse(self, data: bytes) -> None:
        while data:
            try:
                self.parser.feed_data(data)
                return
            except HttpParserUpgrade as upgrade:
                data = data[upgrade.args[0] :]
                if self._body_head:
                    data, self._body_head = self._body_head + data, b""
                    self._reads_body_head = True

    def _wait_for_head(self) -> None:
        self._head_timer = self.loop.call_later(self.head_seconds, self.transport.abort)

    def _stop_waiting(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None


def _check_head(headers: list[tuple[bytes, bytes]], version: str) -> None:
    hosts = 0
    for name, value in headers:
        if name == b"host":
            hosts += 1
        elif name == b"transfer-encoding" and value.lower() != b"chunked":
            raise ValueError("no coding of the body but chunked can be read")
    if hosts > 1 or (hosts == 0 and version == "1.1"):
        raise ValueError("a request has one Host")


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
