"""Who is answered: with a token, who sends it; without one, pages and programs of this machine.

A browser lets any page send requests to this machine, and any name point to it. A server without a
token therefore answers only to the name `localhost`, to addresses, and to the names in
`TRAINYARD_ALLOWED_HOSTS`, and refuses what a page of another origin sends.
"""

import hmac
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


def refusal(request: Request, settings: Settings) -> Response | None:
    """401 or 403 for a request that is not to be answered; None for any other."""
    if settings.token is None:
        return _foreign_host(request, settings) or _foreign_origin(request, settings)
    if is_open(request.scope) or _has_token(request, settings.token.get_secret_value()):
        return None
    detail = "send the token of this server as 'Authorization: Bearer …'"
    headers = {"WWW-Authenticate": "Bearer"}
    return problem(request, 401, "unauthorized", detail, headers=headers)


def is_open(scope: Scope) -> bool:
    """Whether the path is answered without a token."""
    path = route_path(scope)
    return path in OPEN_PATHS or path.startswith(OPEN_FOLDERS)


def _has_token(request: Request, token: str) -> bool:
    scheme, _, sent = request.headers.get("authorization", "").partition(" ")
    expected = token.encode()
    # A header is bytes, which are read as latin-1.
    given = sent.strip().encode("latin-1")
    return scheme.lower() == "bearer" and hmac.compare_digest(given, expected)


def _foreign_host(request: Request, settings: Settings) -> Response | None:
    host = request.headers.get("host", "")
    name = _name_in(f"//{host}")
    if not host or _is_known(name, settings):
        return None
    detail = (
        f"this server has no token and is not known as {name or host}: ask it as localhost or by "
        f"its address, or set TRAINYARD_ALLOWED_HOSTS to its name"
    )
    return problem(request, 403, "foreign_host", detail)


def _foreign_origin(request: Request, settings: Settings) -> Response | None:
    origin = request.headers.get("origin")
    if origin is None or _is_own(origin, request.headers.get("host", ""), settings):
        return None
    detail = (
        f"this server has no token and answers to no page of {origin}: use the server's own page, "
        f"or set TRAINYARD_ALLOWED_HOSTS to the name of the page's server"
    )
    return problem(request, 403, "foreign_origin", detail)


def _is_own(origin: str, host: str, settings: Settings) -> bool:
    _, _, at = origin.lower().partition("://")
    return at != "" and (at == host.lower() or _name_in(origin) in settings.allowed_host_names)


def _is_known(name: str, settings: Settings) -> bool:
    # An address cannot be made to point to another machine, as a name can.
    return name in ("localhost", *settings.allowed_host_names) or _is_address(name)


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
