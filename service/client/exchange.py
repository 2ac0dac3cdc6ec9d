"""What both drivers do with a request beside sending it: httpx's form of it, and its errors."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

import httpx

from service.client.errors import InvalidConnection, InvalidRequest, ServerUnreachable
from service.client.flow import Request, encoded
from service.contract.http_client import BadConnection

_Client = TypeVar("_Client")
CONNECT_SECONDS = 5.0


def connected(
    connect: Callable[..., _Client], server: str, token: str | None, timeout_seconds: float
) -> _Client:
    """What `connect` makes of an address and a token; raises InvalidConnection."""
    try:
        timeout = httpx.Timeout(timeout_seconds, connect=CONNECT_SECONDS)
        return connect(server, token, timeout=timeout)
    except BadConnection as error:
        raise InvalidConnection(str(error)) from error


def built(client: httpx.Client | httpx.AsyncClient, request: Request) -> httpx.Request:
    """A request as httpx sends it; raises InvalidRequest."""
    content = encoded(request.body)
    typed = {} if content is None else {"Content-Type": "application/json"}
    seconds = request.seconds
    timeout = client.timeout if seconds is None else httpx.Timeout(seconds, connect=CONNECT_SECONDS)
    return client.build_request(
        request.method,
        request.path,
        params={name: value for name, value in request.query.items() if value is not None},
        content=content,
        headers={**typed, **request.headers},
        timeout=timeout,
    )


@contextmanager
def translated_errors(server: str) -> Iterator[None]:
    """Raises the exceptions of httpx as those of the client."""
    try:
        yield
    except (httpx.LocalProtocolError, httpx.InvalidURL, UnicodeError) as error:
        # Of a header or an address that HTTP cannot carry: nothing was sent.
        raise InvalidRequest(f"the request cannot be sent: {error}") from error
    except httpx.RequestError as error:
        raise ServerUnreachable(server, error) from error
