"""Logins at a server with a token, and the cookies that they give."""

from http.cookies import Morsel, SimpleCookie

import httpx

from api_tests.support.threaded_server import ThreadedServer

TOKEN = "correct-horse"
PAGE = {"X-Requested-With": "trainyard"}
"""What the page sends with each request."""


def log_in(server: ThreadedServer, token: str = TOKEN, **headers: str) -> httpx.Response:
    """The answer to a login."""
    return server.http.post("/session", json={"token": token}, headers=headers)


def cookie_of(answer: httpx.Response) -> Morsel[str]:
    """The one cookie that an answer sets."""
    (morsel,) = SimpleCookie(answer.headers["set-cookie"]).values()
    return morsel


def cookie_header(answer: httpx.Response) -> dict[str, str]:
    """The header by which a browser sends the cookie back; httpx sends none of another address."""
    morsel = cookie_of(answer)
    return {"Cookie": f"other=1; {morsel.key}={morsel.value}"}


def stranger(server: ThreadedServer) -> httpx.Client:
    """A client that has not logged in."""
    return httpx.Client(base_url=server.url)
