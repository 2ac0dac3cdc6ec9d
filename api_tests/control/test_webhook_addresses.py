"""No webhook leads to the server's own machine or network, whatever its name resolves to."""

import socket
import threading
import time
from collections.abc import Iterator

import httpcore
import pytest

from service.control.webhooks.addresses import AddressGuard, RefusedAddress
from service.control.webhooks.sender import NotSent, Sender
from service.domain.errors import Unprocessable
from service.domain.webhooks import networks_of


def guard(*addresses: str, allowed: str = "", allows_http: bool = True) -> AddressGuard:
    return AddressGuard(networks_of(allowed), allows_http, lambda _, __: list(addresses))


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "127.8.9.10",
        "10.1.2.3",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "0.0.0.0",
        "224.0.0.1",
        "255.255.255.255",
        "240.0.0.1",
        "192.0.2.1",
        "::1",
        "::",
        "fe80::1",
        "fe80::1%eth0",
        "fc00::1",
        "ff02::1",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "64:ff9b::a9fe:a9fe",
        "2002:7f00:1::",
        "2001:db8::1",
    ],
)
def test_an_address_that_is_not_public_is_refused(address: str) -> None:
    with pytest.raises(RefusedAddress, match="TRAINYARD_WEBHOOK_NETWORKS"):
        guard(address).addresses("hooks.example.org", 443)
    with pytest.raises(RefusedAddress):
        guard("1.1.1.1", address).addresses("hooks.example.org", 443)


@pytest.mark.parametrize(
    ("address", "allowed"),
    [
        ("1.1.1.1", ""),
        ("2606:4700:4700::1111", ""),
        ("10.1.2.3", "10.0.0.0/8"),
        ("::1", "127.0.0.1, ::1"),
        ("::ffff:127.0.0.1", "127.0.0.0/8,::ffff:0:0/96"),
    ],
)
def test_a_public_or_allowed_address_is_given_as_it_is(address: str, allowed: str) -> None:
    assert guard(address, allowed=allowed).addresses("hooks.example.org", 443) == [address]


@pytest.mark.parametrize("host", ["2130706433", "0x7f000001", "0177.0.0.1", "localhost", "[::1]"])
def test_no_way_to_write_loopback_is_taken(host: str) -> None:
    with pytest.raises(Unprocessable, match=r"TRAINYARD_WEBHOOK_NETWORKS|cannot be resolved"):
        AddressGuard((), allows_http=False).check_url(f"https://{host}/x")


class Listener:
    """Counts the connections of a port of this machine, and answers each in pieces."""

    def __init__(self, pieces: list[bytes], pause_seconds: float = 0.0) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port, self.connections = self._socket.getsockname()[1], 0
        self._pieces, self._pause_seconds = pieces, pause_seconds
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            self.connections += 1
            with connection:
                try:
                    connection.recv(65_536)
                    for piece in self._pieces:
                        connection.sendall(piece)
                        time.sleep(self._pause_seconds)
                except OSError:
                    continue

    def close(self) -> None:
        self._socket.close()


@pytest.fixture
def listener() -> Iterator[Listener]:
    listener = Listener([b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"])
    yield listener
    listener.close()


def test_a_name_that_comes_to_lead_here_is_refused_and_not_resolved_again(
    listener: Listener,
) -> None:
    answers = [["127.0.0.1"], ["10.0.0.1"]]
    asked: list[str] = []

    def resolve(host: str, _: int) -> list[str]:
        asked.append(host)
        return answers[len(asked) - 1]

    sender = Sender(AddressGuard(networks_of("127.0.0.1"), True, resolve))
    url = f"http://rebound.example.org:{listener.port}/"
    assert sender.post(url, {}, b"{}").status == 200
    assert asked == ["rebound.example.org"]
    with pytest.raises(NotSent, match="not a public address"):
        sender.post(url, {}, b"{}")
    assert (len(asked), listener.connections) == (2, 1)


def test_a_receiver_that_sends_byte_by_byte_is_left_at_the_deadline() -> None:
    slow = Listener([b"HTTP/1.1 200 OK\r\n", *[b"x"] * 100], pause_seconds=0.05)
    sender = Sender(guard("127.0.0.1", allowed="127.0.0.1"))
    with pytest.raises(NotSent, match="no whole answer within"):
        sender.post(f"http://slow.example.org:{slow.port}/", {}, b"{}", seconds=0.3)
    slow.close()


def test_of_an_endless_answer_the_begin_is_read() -> None:
    head = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"
    endless = Listener([head, *[b"400\r\n" + b"y" * 1024 + b"\r\n"] * 10_000])
    sender = Sender(guard("127.0.0.1", allowed="127.0.0.1"))
    answer = sender.post(f"http://endless.example.org:{endless.port}/", {}, b"{}")
    assert len(answer.text) == 1000
    endless.close()


@pytest.mark.parametrize("answer", [b"", b"SSH-2.0-OpenSSH_9.2\r\n", b"HTTP/1.1 2000 ?\r\n\r\n"])
def test_what_is_no_http_is_no_answer(answer: bytes) -> None:
    other = Listener([answer])
    sender = Sender(guard("127.0.0.1", allowed="127.0.0.1"))
    with pytest.raises(NotSent):
        sender.post(f"http://other.example.org:{other.port}/", {}, b"{}")
    other.close()


def test_a_certificate_has_to_be_of_the_host_that_was_asked_for(
    monkeypatch: pytest.MonkeyPatch, listener: Listener
) -> None:
    asked: list[str | None] = []

    def start_tls(
        stream: httpcore.NetworkStream, _: object, server_hostname: str | None, **__: object
    ) -> None:
        asked.append(server_hostname)
        stream.close()
        raise httpcore.ConnectError("enough")

    connection = httpcore.SyncBackend().connect_tcp("127.0.0.1", listener.port)
    monkeypatch.setattr(type(connection), "start_tls", start_tls)
    connection.close()
    sender = Sender(guard("127.0.0.1", allowed="127.0.0.1"))
    with pytest.raises(NotSent, match="enough"):
        sender.post(f"https://named.example.org:{listener.port}/", {}, b"{}")
    assert asked == ["named.example.org"]
