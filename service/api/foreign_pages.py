"""Which hosts and pages are the server's own: a browser lets any page send to any server."""

from collections.abc import Mapping
from functools import lru_cache
from ipaddress import ip_address
from urllib.parse import urlsplit

from service.settings import Settings

Headers = Mapping[bytes, bytes]
"""The first value of each header, by its name in lower case."""


class ForeignPages:
    """Recognises them by the headers that browsers set and pages cannot."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        # A poller has the same Host each time.
        self.is_foreign_host = lru_cache(maxsize=256)(self._look_at_host)

    def foreign_origin(self, headers: Headers) -> str | None:
        """The origin of the page that sends the request, if it is another than the server's."""
        if b"origin" not in headers:
            return None
        origin = headers[b"origin"].decode("latin-1")
        is_own = self._is_own(origin, headers.get(b"host", b"").decode("latin-1"))
        return None if is_own else origin

    def sends(self, headers: Headers) -> bool:
        """Whether a page of another origin sends it, another port of the same host included.

        `Sec-Fetch-Site` says it where the browser has it, which is on https and on localhost: it
        holds whatever Host a proxy has put in. Without it the Origin is compared with the Host.
        """
        site = headers.get(b"sec-fetch-site")
        if site is None:
            return self.foreign_origin(headers) is not None
        return site not in (b"same-origin", b"none")

    def _is_own(self, origin: str, host: str) -> bool:
        _, _, at = origin.lower().partition("://")
        known = self._settings.allowed_host_names
        return at != "" and (at == host.lower() or name_in(origin) in known)

    def _look_at_host(self, host: str) -> bool:
        name = name_in(f"//{host}")
        # An address cannot be made to point to another machine, as a name can.
        known = ("localhost", *self._settings.allowed_host_names)
        return name not in known and not _is_address(name)


def name_in(url: str) -> str:
    """The host name in a URL, without a last dot; empty if it has none."""
    try:
        return (urlsplit(url).hostname or "").removesuffix(".")
    except ValueError:
        return ""


def _is_address(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True
