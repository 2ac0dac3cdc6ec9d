"""Who is answered: with tokens, who sends one or has logged in; without any, this machine's own.

A browser lets any page send requests to this machine, and any name point to it. A server without a
token therefore answers only to the name `localhost`, to addresses, and to the names in
`TRAINYARD_ALLOWED_HOSTS`, and refuses what a page of another origin sends. With tokens the same is
asked of a request that has no more than a session's cookie, which a browser sends by itself. What a
caller may do follows from the role of the token: see `service.api.route_roles`.
"""

from collections.abc import Callable, Hashable
from datetime import datetime, timedelta
from time import monotonic

from fastapi import Request, Response
from starlette.concurrency import run_in_threadpool
from starlette.types import Scope

from service.api.errors import problem
from service.api.foreign_pages import ForeignPages, Headers, name_in
from service.api.guess_limit import GuessLimit, network_of
from service.api.prefix import route_path
from service.api.request_rate import RequestRate
from service.api.route_roles import is_open, role_of
from service.api.session_cookies import SessionCookies
from service.context import AppContext
from service.domain.access import SERVER, Caller
from service.store.outages import DATABASE_OUTAGES
from service.store.sessions import StoredSession

PAGE_HEADER = b"x-requested-with"
"""The header of a change by a session: no page can have it sent to a server of another origin."""
_CHALLENGE = {"WWW-Authenticate": "Bearer"}


class Access:
    """Decides who is answered, by the tokens of a server, its settings and its clock."""

    def __init__(self, context: AppContext) -> None:
        settings = context.settings
        self.credentials = context.credentials
        self._now: Callable[[], datetime] = context.now
        self._limit = GuessLimit()
        self._rate = RequestRate(settings.requests_per_minute)
        self.pages = ForeignPages(settings)
        lifetime = timedelta(seconds=settings.session_seconds)
        self.cookies = SessionCookies(context.volume_id or "", lifetime, settings.root_path)

    async def refusal(self, scope: Scope, headers: Headers) -> Response | None:
        """401, 403, 429 or 503 for a request that is not to be answered; None for any other.

        `headers` has the first value of each. Notes the `caller` in the scope, and the `session`.
        """
        refusal = await self._refusal_of_stranger(scope, headers)
        if not self.credentials.needs_token:
            # Everybody is on this machine.
            return refusal
        seconds = self._rate.seconds_left(caller_key(scope), monotonic())
        return refusal if seconds is None else _too_fast(scope, seconds)

    async def _refusal_of_stranger(self, scope: Scope, headers: Headers) -> Response | None:
        if not self.credentials.is_loaded and not await self._refresh():
            return _database_away(scope)
        if not self.credentials.needs_token:
            scope["caller"] = SERVER
            return self._foreign_host(scope, headers) or self._foreign_origin(scope, headers)
        left = None
        sent = _bearer_token(headers)
        if sent is not None:
            left = self._limit.seconds_left(_address(scope), self._now(), trusts=True)
            if left is None:
                caller = await self._caller_with(sent, scope)
                if isinstance(caller, Caller):
                    scope["caller"] = caller
                    return _role_refusal(scope, caller)
                if caller is not None:
                    return caller
        found = await self._session(headers)
        if found is not None:
            scope["session"], scope["caller"] = found
            return self._foreign_change(scope, headers) or _role_refusal(scope, found[1])
        if is_open(route_path(scope)):
            return self._foreign_login(scope, headers)
        return self._stranger(scope, left)

    async def login(self, request: Request, token: str) -> Caller | Response:
        """Who has a token; 401 for a wrong one, 429 after too many of them."""
        address = _address(request.scope)
        left = self._limit.seconds_left(address, self._now(), trusts=False)
        if left is not None:
            return _too_many(request, left)
        caller = await self._caller_with(token.encode("utf-8", "replace"), request.scope)
        if caller is not None:
            return caller
        detail = (
            "this is not a token of this server, or it has expired or was revoked: an admin makes "
            "one with `trainyard token create`, and TRAINYARD_TOKEN of the server is one"
        )
        return problem(request, 401, "wrong_token", detail, headers=_CHALLENGE)

    async def _caller_with(self, sent: bytes, scope: Scope) -> Caller | Response | None:
        """Who has a token; 503 if nobody can say, None for a wrong one, which is counted."""
        caller = self.credentials.caller_with(sent, self._now())
        if caller is None:
            # Another server may have made it a moment ago.
            if not await self._refresh():
                return _database_away(scope)
            caller = self.credentials.caller_with(sent, self._now())
        if caller is None:
            self._limit.add(_address(scope), sent, self._now())
        else:
            self._limit.trust(_address(scope))
        return caller

    async def _session(self, headers: Headers) -> tuple[StoredSession, Caller] | None:
        secret = self.cookies.secret_in(headers)
        if secret is None:
            return None
        found = self.credentials.session_with(secret, self._now())
        if found is None and await self._refresh():
            found = self.credentials.session_with(secret, self._now())
        return found

    async def _refresh(self) -> bool:
        """Whether the database could be read."""
        try:
            await run_in_threadpool(self.credentials.refresh, self._now())
        except DATABASE_OUTAGES:
            return False
        return True

    def _stranger(self, scope: Scope, seconds_left: int | None) -> Response:
        if seconds_left is not None:
            return _too_many(Request(scope), seconds_left)
        detail = "send a token of this server as 'Authorization: Bearer …', or log in on its page"
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


def caller_key(scope: Scope) -> Hashable:
    """What the requests of one caller are counted by: the token, else the address."""
    caller: Caller | None = scope.get("caller")
    if caller is None or caller is SERVER:
        return network_of(_address(scope))
    return caller.token_id, caller.name


def _role_refusal(scope: Scope, caller: Caller) -> Response | None:
    """403 for a route that needs another role."""
    needed = role_of(scope["method"], route_path(scope))
    if needed is None or caller.may(needed):
        return None
    detail = (
        f"{caller.name} has the role {caller.role}, and this needs the role {needed}: "
        "ask an admin for a token that has it"
    )
    return problem(Request(scope), 403, "role_required", detail)


def _database_away(scope: Scope) -> Response:
    detail = "the database does not answer, and has the tokens of this server; try again"
    return problem(Request(scope), 503, "database_away", detail, headers={"Retry-After": "2"})


def _bearer_token(headers: Headers) -> bytes | None:
    scheme, _, sent = headers.get(b"authorization", b"").partition(b" ")
    return sent.strip() if scheme.lower() == b"bearer" else None


def _address(scope: Scope) -> str:
    client = scope.get("client")
    return str(client[0]) if client else ""


def _too_fast(scope: Scope, seconds: int) -> Response:
    who = "this token" if scope.get("caller") is not None else "this address"
    detail = (
        f"{who} sends more requests than it may: wait {seconds} seconds, and ask less often, or "
        "raise TRAINYARD_REQUESTS_PER_MINUTE of the server"
    )
    headers = {"Retry-After": str(seconds)}
    return problem(Request(scope), 429, "too_many_requests", detail, headers=headers)


def _too_many(request: Request, seconds: int) -> Response:
    detail = f"too many wrong tokens came from this address: wait {seconds} seconds"
    return problem(request, 429, "too_many_tokens", detail, headers={"Retry-After": str(seconds)})
