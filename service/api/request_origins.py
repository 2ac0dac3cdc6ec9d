"""Whose each request is, and from where, for what it changes."""

from collections.abc import Callable
from datetime import datetime

from starlette.types import Scope

from service.api.prefix import route_path
from service.contract.request_origin import RequestOrigin
from service.domain.access import Caller

_READS = ("GET", "HEAD")


class RequestOrigins:
    """Tells where requests come from, by the clock of the server."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now

    def of(self, scope: Scope) -> RequestOrigin | None:
        """The origin of a request that may change something; None for one of an agent."""
        if scope["method"] in _READS or route_path(scope).startswith("/agent/"):
            return None
        caller: Caller | None = scope.get("caller")
        client = scope.get("client")
        return RequestOrigin(
            at=self._now(),
            actor=caller.name if caller is not None else None,
            role=caller.role.value if caller is not None else None,
            request_id=scope["request_id"],
            address=str(client[0]) if client else None,
        )
