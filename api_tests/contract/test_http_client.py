"""The one construction of an HTTP client: proxies, tokens and certificates of the environment."""

import re
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest
from fastapi import FastAPI, Request, Response

from api_tests.support.fake_server import FakeServer
from service.contract.http_client import BadConnection, http_client, proxy_of

ROOT = Path(__file__).parents[2]
TIMEOUT = httpx.Timeout(5.0)
SERVER = "http://train.example:8000"
PROXY = "http://proxy.example:3128"
VARIABLES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "SSL_CERT_FILE", "SSL_CERT_DIR")


@pytest.fixture(autouse=True)
def _no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


class Recorder(FakeServer):
    """A server, or a proxy, that answers everything, and the requests that came."""

    def __init__(self) -> None:
        self.requests: list[Request] = []
        app = FastAPI()

        @app.middleware("http")
        async def note(request: Request, _: Any) -> Response:
            self.requests.append(request)
            return Response("{}")

        super().__init__(app)


@pytest.fixture
def server() -> Iterator[Recorder]:
    server = Recorder()
    yield server
    server.stop()


@pytest.fixture
def proxy(monkeypatch: pytest.MonkeyPatch) -> Iterator[Recorder]:
    proxy = Recorder()
    monkeypatch.setenv("HTTP_PROXY", proxy.url)
    yield proxy
    proxy.stop()


def test_neither_a_request_to_this_machine_nor_its_token_goes_to_a_proxy(
    server: Recorder, proxy: Recorder
) -> None:
    with http_client(server.url, "secret", timeout=TIMEOUT) as client:
        client.get("/jobs")
    (request,) = server.requests
    assert request.headers["authorization"] == "Bearer secret"
    assert proxy.requests == []


def test_every_other_server_is_called_by_the_proxy(proxy: Recorder) -> None:
    with http_client(SERVER, None, timeout=TIMEOUT) as client:
        client.get("/jobs")
    (request,) = proxy.requests
    assert request.headers["host"] == "train.example:8000"


def _own_addresses() -> list[str]:
    """The IPv4 addresses of this machine on its networks."""
    addresses = [each for of_one in psutil.net_if_addrs().values() for each in of_one]
    ours = [each.address for each in addresses if each.family == socket.AF_INET]
    return sorted(address for address in ours if not address.startswith("127."))


@pytest.mark.parametrize(
    "host",
    [
        *("127.0.0.1", "127.1.2.3", "[::1]", "[::ffff:127.0.0.1]", "0.0.0.0", "[::]"),
        *("localhost", "LOCALHOST", "localhost.", "trainyard.localhost"),
        *_own_addresses(),
    ],
)
def test_this_machine_has_no_proxy_by_any_of_its_names(
    host: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ALL_PROXY", PROXY)
    assert proxy_of(httpx.URL(f"http://{host}:8000")) is None


@pytest.mark.parametrize(
    ("host", "exempt"),
    [
        ("train.example", "train.example"),
        ("train.example", "other, .example"),
        ("train.example", "train.example:8000"),
        ("train.example", "*"),
        ("[2001:db8::1]", "2001:db8::1"),
        ("[2001:db8::1]", "[2001:db8::1]"),
        ("[2001:db8::1]", "[2001:db8::1]:8000"),
        ("[2001:db8::1]", "2001:db8::/32"),
        ("198.51.100.7", "::1,198.51.100.0/24"),
    ],
)
def test_an_exempt_server_has_no_proxy(
    host: str, exempt: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ALL_PROXY", PROXY)
    url = httpx.URL(f"http://{host}:8000")
    assert proxy_of(url) == PROXY
    monkeypatch.setenv("NO_PROXY", exempt)
    assert proxy_of(url) is None


@pytest.mark.parametrize(
    ("variable", "proxy", "scheme", "expected"),
    [
        ("HTTPS_PROXY", PROXY, "https", PROXY),
        ("HTTPS_PROXY", PROXY, "http", None),
        ("http_proxy", "proxy.example:3128", "http", PROXY),
        ("all_proxy", PROXY, "https", PROXY),
    ],
)
def test_the_proxy_is_that_of_the_scheme(
    variable: str,
    proxy: str,
    scheme: str,
    expected: str | None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv(variable, proxy)
    assert proxy_of(httpx.URL(f"{scheme}://train.example")) == expected


@pytest.mark.parametrize(
    ("variable", "value", "message"),
    [
        ("ALL_PROXY", "socks5://me:secret@proxy:1080", r"pip install 'httpx\[socks\]'"),
        ("HTTP_PROXY", "ftp://me:secret@proxy", "no address like http://host:port"),
        ("HTTP_PROXY", "http://me:secret@a:b", "no address like http://host:port"),
        ("SSL_CERT_FILE", "/nowhere.pem", "certificates that SSL_CERT_FILE names"),
    ],
)
def test_what_the_environment_has_wrong_is_a_sentence_without_secrets(
    variable: str, value: str, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(BadConnection, match=message) as caught:
        http_client(SERVER, None, timeout=TIMEOUT)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("token", ["sécret", "secret\n", "secret ", "sec\x1bret"])
def test_a_token_that_cannot_be_sent_is_refused_and_not_repeated(token: str) -> None:
    with pytest.raises(BadConnection, match="correct --token or TRAINYARD_TOKEN") as caught:
        http_client(SERVER, token, timeout=TIMEOUT)
    assert token not in str(caught.value)


@pytest.mark.parametrize(
    "address",
    [
        "localhost:8000",
        "train",
        "",
        "ftp://train",
        "http://",
        "http://[",
        "http://a b",
        "http://a:b",
    ],
)
def test_an_address_without_scheme_or_host_is_refused(address: str) -> None:
    with pytest.raises(BadConnection, match="is not an address like http://host:port"):
        http_client(address, None, timeout=TIMEOUT)


def test_no_other_code_makes_an_http_client() -> None:
    # Called, or handed over to be called.
    call = re.compile(
        r"\(httpx\.\w*Client,|httpx\.(\w*Client|get|post|put|request|stream)\(|urlopen"
    )
    callers = {
        str(path.relative_to(ROOT))
        for room in ("service", "workers")
        for path in (ROOT / room).rglob("*.py")
        if call.search(path.read_text())
    }
    assert callers == {"service/contract/http_client.py"}
