"""Who is answered: with a token, who sends it; without one, pages and programs of this machine.

A browser lets any page send requests to this machine, and any name point to it. A server without a
token therefore answers only to the name `localhost`, to addresses, and to the names in
`TRAINYARD_ALLOWED_HOSTS`, and refuses what a page of another origin sends.
"""

import hmac
from collections.abc import Mapping
from functools import lru_cache
from ipaddress import ip_address
from urllib.parse import urlsplit

from fastapi import Request, Response
from starlette.types import Scope

from service.api.errors import problem
from service.api.prefix import route_path
from service.settings import Settings

OPEN_PATHS = ("/", "/healthz", "/readyz", "/docs", "/openapi.json")
"""What needs no token: probes, and files that are the same on every server."""
OPEN_FOLDERS = ("/dashboard/", "/docs/")


class Access:
    """Decides who is answered, by the settings of a server."""

    def __init__(self, settings: Settings) -> None:
        token = settings.token
        self._token = token.get_secret_value().encode() if token is not None else None
        self._settings = settings
        # A poller has the same Host each time.
        self._is_foreign_host = lru_cache(maxsize=256)(self._look_at_host)

    def refusal(self, scope: Scope, headers: Mapping[bytes, bytes]) -> Response | None:
        """401 or 403 for a request that is not to be answered; None for any other.

        `headers` has the first value of each.
        """
        if self._token is None:
            return self._foreign_host(scope, headers) or self._foreign_origin(scope, headers)
        if _has_token(headers.get(b"authorization", b""), self._token) or is_open(scope):
            return None
        detail = "send the token of this server as 'Authorization: Bearer …'"
        challenge = {"WWW-Authenticate": "Bearer"}
        return problem(Request(scope), 401, "unauthorized", detail, headers=challenge)

    def _foreign_host(self, scope: Scope, headers: Mapping[bytes, bytes]) -> Response | None:
        host = headers.get(b"host", b"").decode("latin-1")
        if not host or not self._is_foreign_host(host):
            return None
        detail = (
            f"this server has no token and is not known as {_name_in(f'//{host}') or host}: ask it "
            f"as localhost or by its address, or set TRAINYARD_ALLOWED_HOSTS to its name"
        )
        return problem(Request(scope), 403, "foreign_host", detail)

    def _foreign_origin(self, scope: Scope, headers: Mapping[bytes, bytes]) -> Response | None:
        if b"origin" not in headers:
            return None
        origin = headers[b"origin"].decode("latin-1")
        if self._is_own(origin, headers.get(b"host", b"").decode("latin-1")):
            return None
        detail = (
            f"this server has no token and answers to no page of {origin}: use the server's own "
            f"page, or set TRAINYARD_ALLOWED_HOSTS to the name of the page's server"
        )
        return problem(Request(scope), 403, "foreign_origin", detail)

    def _is_own(self, origin: str, host: str) -> bool:
        _, _, at = origin.lower().partition("://")
        known = self._settings.allowed_host_names
        return at != "" and (at == host.lower() or _name_in(origin) in known)

    def _look_at_host(self, host: str) -> bool:
        name = _name_in(f"//{host}")
        # An address cannot be made to point to another machine, as a name can.
        known = ("localhost", *self._settings.allowed_host_names)
        return name not in known and not _is_address(name)


def is_open(scope: Scope) -> bool:
    """Whether the path is answered without a token."""
    path = route_path(scope)
    return path in OPEN_PATHS or path.startswith(OPEN_FOLDERS)


def _has_token(authorization: bytes, token: bytes) -> bool:
    scheme, _, sent = authorization.partition(b" ")
    return scheme.lower() == b"bearer" and hmac.compare_digest(sent.strip(), token)


def _is_address(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True


def _name_in(url: str) -> str:
    try:
        return (urlsplit(url).hostname or "").removesuffix(".")
    except ValueError:
        return ""
