"""Clients that send nothing, read nothing or hold connections cost nobody else anything."""

import asyncio
import os
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from threading import Thread

import httpx
import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from api_tests.support.fake_agent import FakeAgent
from api_tests.support.server import DEADLINE_SECONDS, Server, wait_for
from api_tests.support.server_context import Clock, server_context
from api_tests.support.threaded_server import ThreadedServer
from service.api import requests
from service.http_connection import HttpConnection
from service.store.engine import Database

READERS = 20
"""More than files may be read at once."""


class ImpatientConnection(HttpConnection):
    head_seconds = 1.0
    unsent_seconds = 1


@pytest.fixture
def impatient() -> Iterator[uvicorn.Server]:
    """A server with short deadlines."""
    listening = socket.create_server(("127.0.0.1", 0))
    app = Starlette(routes=[Route("/large", large), Route("/slow", slow)])
    config = uvicorn.Config(app, http=ImpatientConnection, log_config=None, ws="none")
    server = uvicorn.Server(config)
    thread = Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    wait_for(lambda: server.started, "the server's start")
    yield server
    server.should_exit = True
    thread.join(DEADLINE_SECONDS)
    assert not thread.is_alive()


async def large(_: Request) -> Response:
    return Response(b"\0" * (64 << 20))


async def slow(_: Request) -> Response:
    await asyncio.sleep(2 * ImpatientConnection.head_seconds)
    return PlainTextResponse("done")


def test_clients_that_read_nothing_leave_downloads_to_the_others(agent: FakeAgent) -> None:
    agent.submit()
    content = os.urandom(1 << 20) * 16
    checkpoint = agent.save(agent.claim(), 1, content)
    path = f"/checkpoints/{checkpoint}/files/model.safetensors"
    with ExitStack() as stack:
        for _ in range(READERS):
            answer = stack.enter_context(agent.http.stream("GET", path))
            assert answer.status_code == 200
        assert agent.http.get(path).content == content


def test_a_client_that_takes_nothing_for_long_is_cut_off(impatient: uvicorn.Server) -> None:
    with socket.create_connection(address_of(impatient)) as client:
        client.sendall(b"GET /large HTTP/1.1\r\nHost: test\r\n\r\n")
        assert client.recv(12, socket.MSG_WAITALL) == b"HTTP/1.1 200"
        # The kernel tells the client only when it reads on.
        wait_for(lambda: not impatient.server_state.connections, "the end of the connection")


@pytest.mark.parametrize(
    "sent",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"GET / HTTP/1.1\r\n", id="half a head"),
        pytest.param(b"GET /slow HTTP/1.1\r\nHost: a\r\n\r\nGET /", id="half a second head"),
    ],
)
def test_a_connection_without_a_whole_request_is_closed(
    impatient: uvicorn.Server, sent: bytes
) -> None:
    with socket.create_connection(address_of(impatient)) as client:
        client.settimeout(DEADLINE_SECONDS)
        client.sendall(sent)
        assert is_ended(client)


def test_a_body_that_does_not_arrive_is_refused(
    sqlite: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(requests, "BODY_SECONDS", 0.5)
    server = ThreadedServer(server_context(sqlite, tmp_path, Clock()))
    url = httpx.URL(server.url)
    head = "POST /jobs HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    with socket.create_connection((url.host, url.port)) as client:
        client.settimeout(DEADLINE_SECONDS)
        client.sendall(f"{head}Content-Length: 10\r\n\r\n{{".encode())
        assert client.recv(12, socket.MSG_WAITALL) == b"HTTP/1.1 408"
        assert is_ended(client)
    server.stop()


def test_a_request_that_takes_long_to_answer_is_not_cut_off(impatient: uvicorn.Server) -> None:
    host, port = address_of(impatient)
    assert httpx.get(f"http://{host}:{port}/slow").text == "done"


def test_a_server_with_few_descriptors_goes_on_when_clients_have_taken_them(
    tmp_path: Path,
) -> None:
    server = Server(tmp_path, module="api_tests.support.few_files_server")
    address = httpx.URL(server.url).host, httpx.URL(server.url).port
    with ExitStack() as stack:
        idle = [stack.enter_context(socket.create_connection(address)) for _ in range(200)]
        for each in idle:
            each.settimeout(0.01)
        wait_for(lambda: sum(is_ended(each) for each in idle) > 100, "the end of most of them")
        for each in idle[:-5]:
            each.close()
        wait_for(lambda: is_well(server.url), "an answer")
    assert server.stop() == 0
    log = (tmp_path / "server.log").read_text()
    assert log.count("too_many_connections") == 1
    assert log.count("out_of_file_descriptors") <= 1
    assert "Traceback" not in log


def address_of(server: uvicorn.Server) -> tuple[str, int]:
    host, port = server.servers[0].sockets[0].getsockname()
    return host, port


def is_ended(client: socket.socket) -> bool:
    """Whether the server has closed the connection, within the socket's timeout."""
    try:
        while client.recv(4096):
            pass
    except TimeoutError:
        return False
    except ConnectionResetError:
        return True
    return True


def is_well(url: str) -> bool:
    try:
        return httpx.get(f"{url}/healthz").status_code == 200
    except httpx.TransportError:
        return False
