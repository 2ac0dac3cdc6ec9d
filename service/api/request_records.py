"""What is kept of each request: its time in the metrics, and a line in the log if asked for."""

import time

import structlog
from starlette.types import Scope

from service.metrics import ServerMetrics

ROUTE = "trainyard.route"
"""The key in a scope of the template of a request that is answered before any route."""
_UNROUTED = "unrouted"
_METHODS = frozenset(("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"))
_log = structlog.get_logger()


class RequestRecords:
    """Counts requests by method, template of the route and status: labels that nobody can invent.

    With `log_each` the log has a line of each, without its query.
    """

    def __init__(self, metrics: ServerMetrics, *, log_each: bool) -> None:
        self._metrics, self._log_each = metrics, log_each

    def add(self, scope: Scope, status: int | None, began: float, begun_at: float) -> None:
        """Note a request that came at `began`, whose answer began at `begun_at` of the same clock.

        A status of None is a client that went before its answer.
        """
        route = str(scope.get(ROUTE) or getattr(scope.get("route"), "path", _UNROUTED))
        method: str = scope["method"]
        if status is not None:
            known = method if method in _METHODS else "other"
            self._metrics.observe_request(known, route, status, begun_at - began)
        if self._log_each:
            client = scope.get("client")
            _log.info(
                "request",
                method=method,
                path=scope["path"],
                route=route,
                status=status,
                seconds=round(time.perf_counter() - began, 6),
                client=client[0] if client else None,
                request_id=scope["request_id"],
            )
