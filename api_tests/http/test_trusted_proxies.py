"""A proxy that ends TLS says so by X-Forwarded-Proto, and is believed if it is trusted."""

from pathlib import Path

import httpx
import pytest

from api_tests.support.logins import TOKEN, cookie_of
from api_tests.support.server import Server


@pytest.mark.parametrize(
    ("trusted", "is_secure"),
    [("127.0.0.1,::1", True), ("10.0.0.0/8", False), ("none", False)],
)
def test_the_cookie_of_a_login_over_tls_is_sent_over_tls_alone(
    trusted: str, is_secure: bool, tmp_path: Path
) -> None:
    server = Server(tmp_path, token=TOKEN, trusted_proxies=trusted)
    login = {"token": TOKEN}
    over_tls = {"X-Forwarded-Proto": "https"}
    answer = httpx.post(f"{server.url}/session", json=login, headers=over_tls)
    plain = httpx.post(f"{server.url}/session", json=login)
    server.stop()
    assert bool(cookie_of(answer)["secure"]) is is_secure
    assert not cookie_of(plain)["secure"]
