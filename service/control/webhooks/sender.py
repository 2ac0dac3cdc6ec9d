"""One HTTP POST to a receiver that may be slow, wrong or hostile."""

import ssl
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import httpcore
import httpx

from service.contract.text import cut_text
from service.control.webhooks.addresses import AddressGuard, RefusedAddress, UnknownHost

POST_SECONDS = 15.0
"""For everything from the connection to the last byte that is read."""
_ANSWER_BYTES = 4096
_SHOWN_LENGTH = 1000


class NotSent(Exception):
    """There is no answer; the message says why."""


@dataclass(frozen=True)
class Answer:
    """What the receiver answered: the status, the begin of the body, and `Retry-After`."""

    status: int
    text: str
    retry_after_seconds: float | None


class Sender:
    """Sends by connections that lead to checked addresses alone, and follows no redirect."""

    def __init__(
        self,
        guard: AddressGuard,
        make_tls: Callable[[], ssl.SSLContext] = httpx.create_ssl_context,
    ) -> None:
        self._guard, self._make_tls = guard, make_tls

    @cached_property
    def _tls(self) -> ssl.SSLContext:
        # Made for the first message: it reads all certificates.
        return self._make_tls()

    def post(
        self, url: str, headers: dict[str, str], body: bytes, seconds: float = POST_SECONDS
    ) -> Answer:
        """The answer to a POST of JSON; raises NotSent."""
        deadline = time.monotonic() + seconds
        backend = _GuardedBackend(self._guard, deadline)
        sent = {"content-type": "application/json", "user-agent": "Trainyard", **headers}
        limits = dict.fromkeys(("connect", "read", "write", "pool"), seconds)
        try:
            with (
                httpcore.ConnectionPool(ssl_context=self._tls, network_backend=backend) as pool,
                pool.stream(
                    "POST",
                    url,
                    headers=list(sent.items()),
                    content=body,
                    extensions={"timeout": limits},
                ) as response,
            ):
                return _answer(response)
        except (RefusedAddress, UnknownHost) as error:
            raise NotSent(str(error)) from error
        except httpcore.TimeoutException as error:
            raise NotSent(f"there was no whole answer within {seconds:g} s") from error
        except (httpcore.NetworkError, httpcore.ProtocolError, OSError, ValueError) as error:
            raise NotSent(cut_text(f"{type(error).__name__}: {error}", _SHOWN_LENGTH)) from error


def _answer(response: httpcore.Response) -> Answer:
    received = b""
    for chunk in response.iter_stream():
        received += chunk
        if len(received) >= _ANSWER_BYTES:
            break
    text = received[:_ANSWER_BYTES].decode("utf-8", "replace")
    headers = {name.lower(): value for name, value in response.headers}
    retry_after = headers.get(b"retry-after", b"").decode("latin-1")
    seconds = float(retry_after) if retry_after.isdigit() and len(retry_after) < 10 else None
    return Answer(response.status, cut_text(text, _SHOWN_LENGTH), seconds)


class _GuardedBackend(httpcore.NetworkBackend):
    """Resolves a name once, and connects to an address that was checked."""

    def __init__(self, guard: AddressGuard, deadline: float) -> None:
        self._guard, self._deadline = guard, deadline
        self._sockets = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ARG002 (the deadline holds)
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        """Connect to the first address that answers."""
        failure: httpcore.ConnectError | httpcore.ConnectTimeout | None = None
        for address in self._guard.addresses(host.strip("[]"), port):
            try:
                stream = self._sockets.connect_tcp(
                    address,
                    port,
                    timeout=_left(self._deadline),
                    local_address=local_address,
                    socket_options=socket_options,
                )
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
            else:
                return _DeadlineStream(stream, self._deadline)
        raise failure or httpcore.ConnectError(f"{host} has no address")


class _DeadlineStream(httpcore.NetworkStream):
    """A connection whose reads and writes all end at one deadline, however they are spread."""

    def __init__(self, stream: httpcore.NetworkStream, deadline: float) -> None:
        self._stream, self._deadline = stream, deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ARG002
        """Read what comes next."""
        return self._stream.read(max_bytes, timeout=_left(self._deadline))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ARG002
        """Write everything."""
        self._stream.write(buffer, timeout=_left(self._deadline))

    def close(self) -> None:
        """Close the connection."""
        self._stream.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ARG002
    ) -> httpcore.NetworkStream:
        """The connection with TLS, whose certificate is of the host that was asked for."""
        left = _left(self._deadline)
        return _DeadlineStream(
            self._stream.start_tls(ssl_context, server_hostname, timeout=left), self._deadline
        )

    def get_extra_info(self, info: str) -> Any:
        """What the connection tells of itself."""
        return self._stream.get_extra_info(info)


def _left(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise httpcore.ReadTimeout("the deadline")
    return left
