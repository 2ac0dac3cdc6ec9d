"""What every request passes first: an id, and a limit on its size."""

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.api.errors import problem
from service.contract.ids import new_id

LIMIT_BYTES = 8 * 1024 * 1024


class RequestFrame:
    """ASGI middleware: `X-Request-ID` in and out, 413 for a body over the limit."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = dict(scope["headers"])
        sent = headers.get(b"x-request-id", b"").decode("latin-1")
        request_id = sent if 0 < len(sent) <= 64 and sent.isprintable() else new_id("req")
        scope["request_id"] = request_id
        length = headers.get(b"content-length", b"0").decode("latin-1")

        async def named(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [
                    *message["headers"],
                    (b"x-request-id", request_id.encode("latin-1")),
                ]
            await send(message)

        if length.isdigit() and int(length) > LIMIT_BYTES:
            detail = f"the body has {length} bytes; the limit is {LIMIT_BYTES}"
            answer = problem(Request(scope), 413, "too_large", detail)
            await answer(scope, receive, named)
            return
        await self._app(scope, _limited(receive), named)


def _limited(receive: Receive) -> Receive:
    """The body, until it has more than the limit: one that comes in chunks states no length."""
    received = 0

    async def receive_within() -> Message:
        nonlocal received
        message = await receive()
        received += len(message.get("body", b""))
        if received > LIMIT_BYTES:
            raise HTTPException(413, f"the body is larger than the limit of {LIMIT_BYTES} bytes")
        return message

    return receive_within
