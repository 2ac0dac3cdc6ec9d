"""What every request passes first: an id, who is answered, and what a body may be."""

import asyncio

import structlog
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.api import access
from service.api.dependencies import as_get
from service.api.errors import internal_error, problem
from service.api.prefix import with_prefix
from service.contract.ids import new_id
from service.settings import Settings

LIMIT_BYTES = 8 * 1024 * 1024
BODY_SECONDS = 60.0
_log = structlog.get_logger()


class RequestFrame:
    """ASGI middleware around every route.

    `X-Request-ID` in and out, and in each line of the log; a HEAD for what has a GET; 401 and 403
    for whom the server does not answer, 408, 413 and 415 for a body that is too slow, too large or
    no JSON, 500 for an error of the server itself, which is logged once.
    """

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app, self._settings = app, settings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request = Request(scope)
        request_id = _request_id(request)
        scope["request_id"] = request_id
        scope["root_path"] = self._settings.root_path
        reply = _Reply(send, scope)
        with structlog.contextvars.bound_contextvars(request_id=request_id):
            refusal = access.refusal(request, self._settings) or _body_refusal(request)
            if refusal is not None:
                await refusal(scope, receive, reply)
                return
            try:
                await self._app(as_get(scope), _limited(receive), reply)
            except Exception as error:
                _log.error("request_failed", path=request.url.path, exc_info=error)
                if not reply.begun:
                    await internal_error(request)(scope, receive, reply)


class _Reply:
    """Sends an answer with the id of its request, and where a client finds what it points to."""

    def __init__(self, send: Send, scope: Scope) -> None:
        self._send, self._scope = send, scope
        self.begun = False

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.begun = True
            headers = MutableHeaders(scope=message)
            headers["X-Request-ID"] = self._scope["request_id"]
            if "location" in headers:
                headers["Location"] = with_prefix(headers["location"], self._scope)
        await self._send(message)


def _request_id(request: Request) -> str:
    sent = request.headers.get("x-request-id", "")
    return sent if 0 < len(sent) <= 64 and sent.isprintable() else new_id("req")


def _body_refusal(request: Request) -> Response | None:
    length = request.headers.get("content-length", "0")
    if length.isdigit() and int(length) > LIMIT_BYTES:
        detail = f"the body has {length} bytes; the limit is {LIMIT_BYTES}"
        return problem(request, 413, "too_large", detail)
    has_body = length.strip("0") != "" or "transfer-encoding" in request.headers
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if has_body and media_type != "application/json":
        detail = "send the body as JSON, with the header 'Content-Type: application/json'"
        return problem(request, 415, "not_json", detail)
    return None


def _limited(receive: Receive) -> Receive:
    """The body, within its limits of size and time: one that comes in chunks states no length."""
    received, is_whole = 0, False
    deadline = asyncio.get_running_loop().time() + BODY_SECONDS

    async def receive_within() -> Message:
        nonlocal received, is_whole
        if is_whole:
            # What comes next is the end of the connection, at any time.
            return await receive()
        try:
            async with asyncio.timeout_at(deadline):
                message = await receive()
        except TimeoutError:
            detail = f"the body did not arrive within {BODY_SECONDS:g} seconds"
            raise HTTPException(408, detail, {"Connection": "close"}) from None
        received += len(message.get("body", b""))
        if received > LIMIT_BYTES:
            raise HTTPException(413, f"the body is larger than the limit of {LIMIT_BYTES} bytes")
        is_whole = not message.get("more_body", False)
        return message

    return receive_within
