"""Who is answered: with a token, who sends it or has logged in; without one, this machine's own.

A browser lets any page send requests to this machine, and any name point to it. A server without a
token therefore answers only to the name `localhost`, to addresses, and to the names in
`TRAINYARD_ALLOWED_HOSTS`, and refuses what a page of another origin sends. With a token the same is
asked of a request that has no more than a session's cookie, which a browser sends by itself.
"""

import hmac
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from fastapi import Request, Response
from starlette.types import Scope

from service.api.errors import problem
from service.api.foreign_pages import ForeignPages, Headers, name_in
from service.api.guess_limit import GuessLimit
from service.api.prefix import route_path
from service.api.session_cookies import Session, SessionCookies
from service.settings import Settings

OPEN_PATHS = ("/", "/healthz", "/readyz", "/docs", "/openapi.json", "/session")
"""What needs no token: probes, files that are the same on every server, and the login."""
OPEN_FOLDERS = ("/dashboard/", "/docs/")
PAGE_HEADER = b"x-requested-with"
"""The header of a change by a session: no page can have it sent to a server of another origin."""
OWNER = "admin"
"""Who has the token of the settings: it may do everything."""
_CHALLENGE = {"WWW-Authenticate": "Bearer"}


@dataclass(frozen=True)
class Caller:
    """Who sends a request, in its scope as `caller`; without a session, by the token itself."""

    user: str
    session: Session | None = None


class Access:
    """Decides who is answered, by the settings of a server and its clock."""

    def __init__(self, settings: Settings, now: Callable[[], datetime]) -> None:
        token = settings.token
        self._token = token.get_secret_value().encode() if token is not None else None
        self._now, self._limit = now, GuessLimit()
        self.pages = ForeignPages(settings)
        self.cookies: SessionCookies | None = None
        if self._token is not None:
            lifetime = timedelta(seconds=settings.session_seconds)
            self.cookies = SessionCookies(self._token, lifetime, settings.root_path)

    def refusal(self, scope: Scope, headers: Headers) -> Response | None:
        """401, 403 or 429 for a request that is not to be answered; None for any other.

        `headers` has the first value of each. Notes the caller in the scope.
        """
        if self._token is None:
            return self._foreign_host(scope, headers) or self._foreign_origin(scope, headers)
        left = None
        sent = _bearer_token(headers)
        if sent is not None:
            left = self._limit.seconds_left(_address(scope), self._now(), trusts=True)
            if left is None and self._accepts(sent, scope):
                scope["caller"] = Caller(OWNER)
                return None
        session = self.cookies.session_of(headers, self._now()) if self.cookies else None
        if session is not None:
            scope["caller"] = Caller(session.user, session)
            return self._foreign_change(scope, headers)
        if is_open(scope):
            return self._foreign_login(scope, headers)
        return self._stranger(scope, left)

    def login_refusal(self, request: Request, token: str) -> Response | None:
        """401 for a wrong token, 429 after too many of them; None for the right one."""
        address, now = _address(request.scope), self._now()
        left = self._limit.seconds_left(address, now, trusts=False)
        if left is not None:
            return _too_many(request, left)
        sent = token.encode("utf-8", "replace")
        if self._is_right(sent):
            return None
        self._limit.add(address, sent, now)
        detail = "this is not the token of this server: it is what TRAINYARD_TOKEN is set to there"
        return problem(request, 401, "wrong_token", detail, headers=_CHALLENGE)

    def _is_right(self, sent: bytes) -> bool:
        return self._token is not None and hmac.compare_digest(sent, self._token)

    def _accepts(self, sent: bytes, scope: Scope) -> bool:
        if self._is_right(sent):
            self._limit.trust(_address(scope))
            return True
        self._limit.add(_address(scope), sent, self._now())
        return False

    def _stranger(self, scope: Scope, seconds_left: int | None) -> Response:
        if seconds_left is not None:
            return _too_many(Request(scope), seconds_left)
        detail = "send the token of this server as 'Authorization: Bearer …', or log in on its page"
        return problem(Request(scope), 401, "unauthorized", detail, headers=_CHALLENGE)

    def _foreign_change(self, scope: Scope, headers: Headers) -> Response | None:
        """403 for what a session sends that is not the server's own page."""
        is_read = scope["method"] in ("GET", "HEAD")
        # A link on another page may lead to a file; it shows that page nothing.
        if is_read and headers.get(b"sec-fetch-mode") == b"navigate":
            return None
        if self.pages.sends(headers):
            return self._foreign_page(scope, headers)
        if is_read or headers.get(PAGE_HEADER):
            return None
        detail = (
            "a change that is sent with a session's cookie needs the header "
            "'X-Requested-With: trainyard', by which no page of another origin can send it"
        )
        return problem(Request(scope), 403, "no_page_header", detail)

    def _foreign_login(self, scope: Scope, headers: Headers) -> Response | None:
        """403 for a page that logs the browser in on a server that is not its own."""
        is_change = scope["method"] not in ("GET", "HEAD")
        return (
            self._foreign_page(scope, headers) if is_change and self.pages.sends(headers) else None
        )

    def _foreign_page(self, scope: Scope, headers: Headers) -> Response:
        origin = headers.get(b"origin", b"another origin").decode("latin-1")
        detail = (
            f"a session answers to no page of {origin}: use the server's own page, "
            f"or set TRAINYARD_ALLOWED_HOSTS to the name by which a proxy shows it"
        )
        return problem(Request(scope), 403, "foreign_origin", detail)

    def _foreign_host(self, scope: Scope, headers: Headers) -> Response | None:
        host = headers.get(b"host", b"").decode("latin-1")
        if not host or not self.pages.is_foreign_host(host):
            return None
        detail = (
            f"this server has no token and is not known as {name_in(f'//{host}') or host}: ask it "
            f"as localhost or by its address, or set TRAINYARD_ALLOWED_HOSTS to its name"
        )
        return problem(Request(scope), 403, "foreign_host", detail)

    def _foreign_origin(self, scope: Scope, headers: Headers) -> Response | None:
        origin = self.pages.foreign_origin(headers)
        if origin is None:
            return None
        detail = (
            f"this server has no token and answers to no page of {origin}: use the server's own "
            f"page, or set TRAINYARD_ALLOWED_HOSTS to the name of the page's server"
        )
        return problem(Request(scope), 403, "foreign_origin", detail)


def is_open(scope: Scope) -> bool:
    """Whether the path is answered without a token."""
    path = route_path(scope)
    return path in OPEN_PATHS or path.startswith(OPEN_FOLDERS)


def _bearer_token(headers: Headers) -> bytes | None:
    scheme, _, sent = headers.get(b"authorization", b"").partition(b" ")
    return sent.strip() if scheme.lower() == b"bearer" else None


def _address(scope: Scope) -> str:
    client = scope.get("client")
    return str(client[0]) if client else ""


def _too_many(request: Request, seconds: int) -> Response:
    detail = f"too many wrong tokens came from this address: wait {seconds} seconds"
    return problem(request, 429, "too_many_tokens", detail, headers={"Retry-After": str(seconds)})
