"""What every request passes first: an id, who is answered, and what a body may be."""

import asyncio
import time
from collections.abc import Mapping
from http import HTTPStatus

import structlog
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.api.access import Access
from service.api.dependencies import as_get
from service.api.errors import internal_error, problem
from service.api.job_polls import JobPolls
from service.api.prefix import route_path, with_prefix
from service.api.refused_acts import RefusedActs
from service.api.request_origins import RequestOrigins
from service.api.request_records import RequestRecords
from service.api.security_headers import with_security_headers
from service.contract.access import Role
from service.contract.ids import new_id
from service.contract.request_ids import ACTOR, REQUEST_ID, is_request_id
from service.contract.request_origin import ORIGIN
from service.domain.access import Caller

LIMIT_BYTES = 8 * 1024 * 1024
BODY_SECONDS = 60.0
_log = structlog.get_logger()


class RequestFrame:
    """The one ASGI application around all routes, and around the polls that need none.

    `X-Request-ID` in and out, and in each line of the log; a HEAD for what has a GET; 401, 403 and
    429 for whom the server does not answer, 408, 413 and 415 for a body that is too slow, too large
    or no JSON, 500 for an error of the server itself, which is logged once. It reads the head once,
    since a poll costs little more than its frame.
    """

    def __init__(
        self,
        app: ASGIApp,
        access: Access,
        root_path: str,
        polls: JobPolls,
        records: RequestRecords,
        origins: RequestOrigins,
        refused_acts: RefusedActs,
    ) -> None:
        self._app, self._access, self._polls = app, access, polls
        self._root_path, self._records = root_path, records
        self._origins, self._refused_acts = origins, refused_acts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = _first_headers(scope)
        scope["root_path"] = self._root_path
        scope["request_id"] = _request_id(headers)
        reply = _Reply(send, scope)
        began = time.perf_counter()
        try:
            await self._answer(scope, headers, receive, reply)
        finally:
            # Of a request whose client has gone before its answer there is no status.
            self._records.add(scope, reply.status, began, reply.begun_at)

    async def _answer(
        self, scope: Scope, headers: Mapping[bytes, bytes], receive: Receive, reply: "_Reply"
    ) -> None:
        request_id = scope["request_id"]
        try:
            refusal = await self._access.refusal(scope, headers) or _body_refusal(scope, headers)
            if refusal is not None:
                await refusal(scope, receive, reply)
            elif not await self._polls.answer(scope, headers, reply):
                with structlog.contextvars.bound_contextvars(request_id=request_id):
                    await self._route(scope, receive, reply)
            if reply.status == HTTPStatus.FORBIDDEN:
                await self._refused_acts.note_change(scope)
        except Exception as error:
            request = Request(scope)
            ids = {"request_id": request_id, "path": request.url.path}
            _log.error("request_failed", **ids, exc_info=error)
            if not reply.begun:
                await internal_error(request)(scope, receive, reply)

    async def _route(self, scope: Scope, receive: Receive, reply: "_Reply") -> None:
        before, actor_before = REQUEST_ID.set(scope["request_id"]), ACTOR.set(_actor(scope))
        origin_before = ORIGIN.set(self._origins.of(scope))
        asked = as_get(scope)
        try:
            await self._app(asked, _limited(receive), reply)
        finally:
            REQUEST_ID.reset(before)
            ACTOR.reset(actor_before)
            ORIGIN.reset(origin_before)
            if asked is not scope and "route" in asked:
                scope["route"] = asked["route"]


class _Reply:
    """Sends an answer with the id of its request, and where a client finds what it points to."""

    def __init__(self, send: Send, scope: Scope) -> None:
        self._send, self._scope = send, scope
        self.status: int | None = None
        self.begun_at = 0.0

    @property
    def begun(self) -> bool:
        """Whether the client has the begin of the answer."""
        return self.status is not None

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status, self.begun_at = message["status"], time.perf_counter()
            headers = with_security_headers(list(message["headers"]))
            headers.append((b"x-request-id", self._scope["request_id"].encode("latin-1")))
            message["headers"] = [self._located(*header) for header in headers]
        await self._send(message)

    def _located(self, name: bytes, value: bytes) -> tuple[bytes, bytes]:
        if name != b"location":
            return name, value
        return name, with_prefix(value.decode("latin-1"), self._scope).encode("latin-1")


def _first_headers(scope: Scope) -> dict[bytes, bytes]:
    headers: dict[bytes, bytes] = {}
    for name, value in scope["headers"]:
        headers.setdefault(name, value)
    return headers


def _request_id(headers: Mapping[bytes, bytes]) -> str:
    sent = headers.get(b"x-request-id", b"").decode("latin-1")
    return sent if is_request_id(sent) else new_id("req")


def _actor(scope: Scope) -> str | None:
    """Who causes what the request changes; what a worker reports is by its own token alone."""
    caller: Caller | None = scope.get("caller")
    is_of_agents = route_path(scope).startswith("/agent/")
    if caller is None or (is_of_agents and caller.role is not Role.WORKER):
        return None
    return caller.name


def _body_refusal(scope: Scope, headers: Mapping[bytes, bytes]) -> Response | None:
    length = headers.get(b"content-length", b"0").decode("latin-1")
    if length.isdigit() and int(length) > LIMIT_BYTES:
        detail = f"the body has {length} bytes; the limit is {LIMIT_BYTES}"
        return problem(Request(scope), 413, "too_large", detail)
    if length.strip("0") == "" and b"transfer-encoding" not in headers:
        return None
    media_type = headers.get(b"content-type", b"").partition(b";")[0].strip().lower()
    if media_type != b"application/json":
        detail = "send the body as JSON, with the header 'Content-Type: application/json'"
        return problem(Request(scope), 415, "not_json", detail)
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
