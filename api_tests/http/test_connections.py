"""What a connection takes for a request, byte by byte."""

import socket
from collections.abc import Iterator
from threading import Thread

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from api_tests.support.server import DEADLINE_SECONDS, wait_for
from service.http_connection import HttpConnection

HEAD = b"POST /echo HTTP/1.1\r\nHost: a\r\n"
CHUNKS = HEAD + b"Transfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n"
UPGRADE = b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAAB\r\n"


@pytest.fixture(scope="module")
def address() -> Iterator[tuple[str, int]]:
    """A server that answers with the body that it was sent, and with the header X-Name."""
    listening = socket.create_server(("127.0.0.1", 0))
    app = Starlette(routes=[Route("/echo", echo, methods=["GET", "POST"])])
    server = uvicorn.Server(uvicorn.Config(app, http=HttpConnection, log_config=None, ws="none"))
    thread = Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    wait_for(lambda: server.started, "the server's start")
    yield listening.getsockname()
    server.should_exit = True
    thread.join(DEADLINE_SECONDS)
    assert not thread.is_alive()


async def echo(request: Request) -> Response:
    body = await request.body()
    return PlainTextResponse(b"<" + body + b">" + request.headers.get("x-name", "").encode())


@pytest.mark.parametrize(
    "sent",
    [
        pytest.param([HEAD, UPGRADE, b"Content-Length: 5\r\n\r\nhello"], id="in one part"),
        pytest.param([HEAD, UPGRADE, b"Content-Length: 5\r\n\r\n", b"he", b"llo"], id="in parts"),
        pytest.param(
            [HEAD, UPGRADE, b"Transfer-Encoding: chunked\r\n\r\n5\r\nhel", b"lo\r\n0\r\n\r\n"],
            id="in chunks",
        ),
    ],
)
def test_a_request_that_asks_for_http2_is_answered_with_its_body(
    address: tuple[str, int], sent: list[bytes]
) -> None:
    # Clients of Java ask for it with their first request, whatever that is.
    then = HEAD + b"Content-Length: 5\r\nConnection: close\r\n\r\nagain"
    if len(sent) == 3:
        sent = [b"".join(sent)]
    answers = answers_to(address, *sent, then)
    assert answers.count(b"HTTP/1.1 200 OK") == 2
    assert answers.index(b"<hello>") < answers.index(b"<again>")


def test_requests_that_are_sent_at_once_are_answered_in_their_order(
    address: tuple[str, int],
) -> None:
    bodies = [b"%d" % number for number in range(1, 9)]
    sent = b"".join(HEAD + b"Content-Length: 1\r\n\r\n" + body for body in bodies)
    last = HEAD + b"Connection: close\r\n\r\n"
    answers = answers_to(address, sent + last)
    assert [answers.count(b"<%s>" % body) for body in bodies] == [1] * 8
    assert answers.index(b"<1>") < answers.index(b"<8>") < answers.index(b"<>")


@pytest.mark.parametrize("upgrade", [b"", UPGRADE], ids=["", "with a request for HTTP/2"])
def test_what_follows_a_body_in_chunks_is_no_header_of_its_request(
    address: tuple[str, int], upgrade: bytes
) -> None:
    # A proxy that checks the headers passes trailers on without a look.
    close = b"" if upgrade else b"Connection: close\r\n"
    sent = HEAD + upgrade + close + CHUNKS.removeprefix(HEAD) + b"X-Name: Ada\r\n\r\n"
    last = HEAD + b"Connection: close\r\nX-Name: Ben\r\n\r\n"
    answers = answers_to(address, sent + last if upgrade else sent)
    assert b"<hi>" in answers
    assert b"Ada" not in answers
    assert (b"<>Ben" in answers) is bool(upgrade)


@pytest.mark.parametrize(
    "sent",
    [
        pytest.param([b"GET /echo HTTP/1.1\r\n\r\n"], id="no Host"),
        pytest.param([b"GET /echo HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"], id="two Hosts"),
        pytest.param(
            [HEAD + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello"], id="two lengths"
        ),
        pytest.param(
            [HEAD + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"],
            id="a length and chunks",
        ),
        pytest.param(
            [HEAD + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"], id="another coding"
        ),
        pytest.param([HEAD + b"A : b\r\n\r\n"], id="a space in a name"),
        pytest.param([HEAD + b"A: \1\r\n\r\n"], id="a control character"),
        pytest.param(["GET /é HTTP/1.1\r\nHost: a\r\n\r\n".encode()], id="a path in UTF-8"),
        pytest.param([HEAD + b"A: ", *[b"a" * 300_000] * 9], id="an endless header"),
        pytest.param([b"GET /", *[b"a" * 300_000] * 9], id="an endless path"),
        pytest.param([CHUNKS, *[b"A: b\r\n" * 50_000] * 9], id="endless trailers"),
        pytest.param([CHUNKS, b"A: ", *[b"b" * 300_000] * 9], id="an endless trailer"),
        pytest.param([CHUNKS[:-3], b"1;", *[b"a" * 300_000] * 9], id="an endless extension"),
        pytest.param([(HEAD + b"\r\n") * 500], id="hundreds of requests at once"),
    ],
)
def test_what_is_no_request_ends_its_connection(
    address: tuple[str, int], sent: list[bytes]
) -> None:
    answer = answers_to(address, *sent)
    assert b"HTTP/1.1 200" not in answer
    assert answer[:12] in (b"HTTP/1.1 400", b""), answer[:80]


def answers_to(address: tuple[str, int], *parts: bytes) -> bytes:
    """All that the server sends until it ends the connection."""
    received = b""
    with socket.create_connection(address) as client:
        client.settimeout(DEADLINE_SECONDS)
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            for part in parts:
                client.sendall(part)
            while data := client.recv(65536):
                received += data
        except (ConnectionResetError, BrokenPipeError):
            # It was closed while the rest was sent.
            pass
    return received
