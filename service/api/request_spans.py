"""The span of each request that may make a job; only in a server whose traces are on."""

from starlette.types import ASGIApp, Receive, Scope, Send

from service.api.prefix import route_path
from service.contract.traces import Tracer, current_span


class RequestSpans:
    """Traces the POSTs of people, in the trace that the caller's `traceparent` names, if any.

    What workers ask again and again has no span: a job's own are made at its claim.
    """

    def __init__(self, routes: ASGIApp, tracer: Tracer) -> None:
        self._routes, self._tracer = routes, tracer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        is_traced = scope["type"] == "http" and scope["method"] == "POST"
        if not is_traced or route_path(scope).startswith("/agent/"):
            await self._routes(scope, receive, send)
            return
        sent = [value for name, value in scope["headers"] if name == b"traceparent"]
        parent = sent[0].decode("latin-1") if sent else None
        attributes: dict[str, str | int] = {
            "http.request.method": scope["method"],
            "url.path": scope["path"],
            "request_id": scope["request_id"],
        }
        with current_span(self._tracer.begin("request", parent, attributes)):
            await self._routes(scope, receive, send)
